"""The compiler's report: read in the published format, from a stand-in, since the real one is closed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_edgebudget.devices import open_device, profile_named
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.edge_tpu import compiler
from pytest_edgebudget.devices.edge_tpu.report import Row, parse_report
from pytest_edgebudget.facts import PlacementFacts
from pytest_edgebudget.metrics import cpu_fallback, off_chip
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import DeviceChoice, Evidence, Measurement
from tests.devices.edge_tpu.models import MACS, Chain, mnist
from tests.devices.edge_tpu.stand_in import (
    LIMIT,
    MAPPED,
    SUBGRAPH,
    Rows,
    install,
    log,
    summary,
)
from tests.measure.help import artifact, read, wanted


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in front of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def measured(model: Path, tmp_path: Path) -> Measurement:
    device = open_device(DeviceChoice(profile=profile_named("coral-pcie"), run="edge-tpu"))
    asked = wanted(cpu_fallback.METRIC, off_chip.METRIC)
    return read(artifact(model), asked, device, Store(tmp_path / "store", 1 << 20))


def chain(tmp_path: Path) -> Path:
    model = Chain().conv("a").conv("b").op("ELU", "act").conv("c")
    return model.write(tmp_path / "model.tflite")


# --- the format --------------------------------------------------------------------------------


def test_a_report_in_the_published_format_is_read() -> None:
    # Figures of google-coral/edgetpu issue 60; the rows are some of its own.
    rows: Rows = [("LOGISTIC", 1, SUBGRAPH), ("ADD", 10, MAPPED), ("CONCATENATION", 3, MAPPED)]
    report = parse_report(summary(rows, on_chip="6.86MiB", off_chip="1.22MiB"), log(rows))
    assert report.tool == "edgetpu_compiler 16.0.384591198"
    assert report.rows == tuple(Row(*row) for row in rows)
    assert [row.mapped for row in report.rows] == [False, True, True]
    assert report.subgraphs == 1
    assert report.off_chip is not None
    # 1.22 MiB is rounded: 1.215 to 1.225.
    assert (report.off_chip.low, report.off_chip.high) == (1274020, 1284506)
    assert report.on_chip is not None
    assert report.on_chip.value == round(6.86 * 1024 * 1024)


def test_sizes_of_a_report_are_bytes_whatever_their_unit() -> None:
    rows: Rows = [("ADD", 1, MAPPED)]
    # Issue 572: 604.50KiB stay, 3.45MiB do not fit; 0.00B is exactly nothing.
    report = parse_report(summary(rows, on_chip="604.50KiB", off_chip="0.00B"), log(rows))
    assert report.on_chip is not None
    assert report.on_chip.value == 604.5 * 1024
    assert report.off_chip is not None
    assert (report.off_chip.low, report.off_chip.value, report.off_chip.high) == (0, 0, 0)


def test_a_model_that_the_compiler_refuses_is_told_in_its_words() -> None:
    words = "Edge TPU Compiler version 15.0.340273435\nInvalid model: m.tflite\nModel not quantized"
    assert parse_report(words, "").refused == "Model not quantized"  # issue 313


@pytest.mark.parametrize(
    ("words", "table", "said"),
    [
        (  # issue 189
            "Edge TPU Compiler version 14.1.317412892\nInternal compiler error. Aborting!",
            "",
            "edgetpu_compiler 14.1.317412892 has no result for the model: "
            "Edge TPU Compiler version 14.1.317412892; Internal compiler error. Aborting!",
        ),
        (
            "",
            "",
            "edgetpu_compiler of an unknown version has no result for the model: it said nothing",
        ),
        (summary([("ADD", 2, MAPPED)]), log([("ADD", 1, MAPPED)]), "has no result"),
        (summary([("ADD", 10**4000, MAPPED)]), log([("ADD", 10**4000, MAPPED)]), "has no result"),
        (summary([("ADD", 2, MAPPED)]), f"ADD 1 x{' ' * 500_000}y", "has no result"),
    ],
)
def test_words_that_are_no_report_are_no_reading(words: str, table: str, said: str) -> None:
    with pytest.raises(CannotTell) as caught:
        parse_report(words, table)
    assert said in caught.value.message


# --- the device --------------------------------------------------------------------------------


def test_the_report_of_an_installed_compiler_in_the_published_format_replaces_the_constraints(
    tmp_path: Path, bin_: Path
) -> None:
    # By the constraints "c" is off, too; this compiler takes it.
    rows: Rows = [("CONV_2D", 3, MAPPED), ("ELU", 1, LIMIT)]
    install(bin_, summary(rows, off_chip="1.22MiB", subgraphs=2), log(rows))
    found = measured(chain(tmp_path), tmp_path).readings
    fallback, fetched = found["cpu_fallback"], found["off_chip"]
    assert (fallback.value, fallback.low, fallback.high) == (0.0, 0.0, 0.0)
    assert (fallback.evidence, fallback.noisy) == (Evidence.EXACT, False)
    assert [(layer.name, layer.kind) for layer in fallback.layers] == [("act", f"ELU: {LIMIT}")]
    assert fallback.note == (
        f"1 of 4 operators fell off, 2 pieces on the Edge TPU; first ELU 'act': {LIMIT}; "
        "told by edgetpu_compiler 16.0.384591198; it keeps 3.33 MiB of parameters"
    )
    assert dict(fallback.key)["tool"] == "edgetpu_compiler 16.0.384591198"
    assert (fetched.value, fetched.low, fetched.high) == (1279263, 1274020, 1284506)


def test_a_kind_on_both_sides_has_an_interval_from_its_cheapest_to_its_dearest(
    tmp_path: Path, bin_: Path
) -> None:
    path = mnist(tmp_path / "model.tflite", float_ends=False)
    rows: Rows = [
        *(("CONV_2D", 2, MAPPED), ("MAX_POOL_2D", 2, MAPPED), ("RESHAPE", 1, MAPPED)),
        *(("FULLY_CONNECTED", 1, MAPPED), ("FULLY_CONNECTED", 1, SUBGRAPH)),
        ("SOFTMAX", 1, SUBGRAPH),
    ]
    install(bin_, summary(rows), log(rows))
    fallback = measured(path, tmp_path).readings["cpu_fallback"]
    total = 2 * MACS + 256 * 16 + 16 * 10
    assert [layer.name for layer in fallback.layers] == ["dense_2", "softmax"]  # the last one
    assert (fallback.low, fallback.value) == (160 / total, 160 / total)
    assert fallback.high == 256 * 16 / total
    assert (fallback.evidence, fallback.noisy) == (Evidence.ESTIMATED, True)


def test_a_float_model_that_the_compiler_refuses_runs_on_the_cpu_whole(
    tmp_path: Path, bin_: Path
) -> None:
    words = "Edge TPU Compiler version 16.0.384591198\nInvalid model: m\nModel not quantized\n"
    install(bin_, words, status=1)
    found = measured(chain(tmp_path), tmp_path).readings
    assert (found["cpu_fallback"].value, found["off_chip"].value) == (1.0, 0.0)
    assert found["cpu_fallback"].note.startswith(
        "4 of 4 operators fell off, 0 pieces on the Edge TPU; "
        "first CONV_2D 'a': Model not quantized"
    )


def test_a_report_of_another_model_is_no_reading(tmp_path: Path, bin_: Path) -> None:
    rows: Rows = [("CONV_2D", 2, MAPPED), ("ELU", 2, LIMIT)]
    install(bin_, summary(rows), log(rows))
    missing = measured(chain(tmp_path), tmp_path).missing
    assert missing["cpu_fallback"].reason == (
        "the model has 3 CONV_2D, and the report of edgetpu_compiler 16.0.384591198 2"
    )


def test_a_float_input_is_quantized_on_the_cpu_before_the_edge_tpus_part(
    tmp_path: Path, bin_: Path
) -> None:
    model = Chain("FLOAT32").op("QUANTIZE", "in").conv("a").op("QUANTIZE", "again").conv("b")
    path = model.write(tmp_path / "model.tflite")
    rows: Rows = [("QUANTIZE", 1, MAPPED), ("QUANTIZE", 1, LIMIT), ("CONV_2D", 2, MAPPED)]
    install(bin_, summary(rows), log(rows))
    fallback = measured(path, tmp_path).readings["cpu_fallback"]
    assert [layer.name for layer in fallback.layers] == ["in"]
    assert (fallback.value, fallback.evidence) == (0.0, Evidence.EXACT)


def test_a_compiled_model_says_itself_what_is_left_to_the_cpu(tmp_path: Path, bin_: Path) -> None:
    install(bin_, "never called", status=1)
    model = Chain().custom("edgetpu-custom-op", "tpu").conv("tail").write(tmp_path / "model.tflite")
    fallback = measured(model, tmp_path).readings["cpu_fallback"]
    assert [(layer.name, layer.kind) for layer in fallback.layers] == [
        ("tail", "CONV_2D: the compiler left it to the CPU")
    ]
    assert (fallback.low, fallback.value, fallback.high) == (0.0, 1.0, 1.0)
    assert dict(fallback.key)["tool"] == "the compiled model"


def test_what_the_catalogue_shows_follows_what_is_installed(bin_: Path) -> None:
    device = open_device(DeviceChoice(profile=profile_named("coral-pcie"), run="edge-tpu"))
    assert device.evidence(PlacementFacts) is Evidence.ESTIMATED
    install(bin_, "")
    assert device.evidence(PlacementFacts) is Evidence.EXACT


# --- a compiler that misbehaves ------------------------------------------------------------------


def test_a_compiler_that_hangs_is_stopped_and_told(
    tmp_path: Path, bin_: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "PATIENCE", 2.0)
    note = tmp_path / "pid"
    install(bin_, "", before=_write_pid_and_sleep(note))
    missing = measured(chain(tmp_path), tmp_path).missing["cpu_fallback"]
    assert missing.reason.startswith(
        "edgetpu_compiler: stopped after 2 s while compiling model.tflite for the Edge TPU"
    )
    assert _gone(int(note.read_text()))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is Linux's")
def test_a_compiler_that_takes_too_much_memory_is_stopped_by_its_limit(
    tmp_path: Path, bin_: Path
) -> None:
    rows: Rows = [("CONV_2D", 3, MAPPED), ("ELU", 1, LIMIT)]
    install(bin_, summary(rows), log(rows), before=f"bytearray({compiler.MOST_MEMORY + 1})")
    missing = measured(chain(tmp_path), tmp_path).missing["cpu_fallback"]
    assert missing.reason.endswith("MemoryError")


def test_nothing_stays_of_a_compiler_whose_parent_is_killed_in_mid_run(
    tmp_path: Path, bin_: Path
) -> None:
    note = tmp_path / "pid"
    program = install(bin_, "", before=_write_pid_and_sleep(note))
    code = (
        "import sys; from pathlib import Path\n"
        "from pytest_edgebudget.devices.edge_tpu.compiler import compile_report\n"
        "compile_report(Path(sys.argv[1]), sys.argv[2])\n"
    )
    command = [sys.executable, "-c", code, str(chain(tmp_path)), str(program)]
    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path)}) as parent:
        deadline = time.monotonic() + 30
        while not (note.exists() and note.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        parent.send_signal(signal.SIGKILL)
    assert _gone(int(note.read_text()))


def _write_pid_and_sleep(note: Path) -> str:
    return f"import os; pathlib.Path({str(note)!r}).write_text(str(os.getpid())); time.sleep(60)"


def _gone(pid: int) -> bool:
    """Whether the process ends within five seconds; a zombie has ended."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_the_arithmetic_of_the_chain_is_that_of_its_convolutions(tmp_path: Path) -> None:
    device = open_device(DeviceChoice(profile=profile_named("coral-pcie"), run="edge-tpu"))
    gather = device.source(PlacementFacts)
    assert gather is not None
    found = gather(artifact(chain(tmp_path)), lambda worker: None)
    assert isinstance(found, PlacementFacts)
    assert (found.total.macs, found.evidence) == (3 * MACS, Evidence.ESTIMATED)
    assert [op.name for op in found.off] == ["act", "c"]
