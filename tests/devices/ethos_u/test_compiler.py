"""Vela kept open: its own command line's numbers, the published ones, and what a crash leaves."""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.ethos_u.compiler import Compiler
from pytest_edgebudget.devices.ethos_u.report import Refused, refusals
from pytest_edgebudget.devices.ethos_u.settings import Settings
from pytest_edgebudget.errors import DeviceError
from tests.devices.ethos_u.conftest import Told, settings
from tests.devices.ethos_u.models import Chain

Ask = Callable[[Path, Settings], Told]


@pytest.mark.parametrize(
    "npu", ["ethos-u55-32", "ethos-u55-256", "ethos-u65-512", "ethos-u85-1024"]
)
def test_numbers_and_file_are_those_of_velas_own_command(
    digits_int8: Path, compiler: Compiler, by_command: Ask, npu: str, tmp_path: Path
) -> None:
    kept: list[bytes] = []
    found = compiler.compile(
        digits_int8, settings(npu), lambda path: kept.append(path.read_bytes())
    )
    told = by_command(digits_int8, settings(npu))
    assert kept == [told.file]
    assert found.cycles == int(float(told.summary["cycles_total"]))
    assert found.cycles / found.clock == pytest.approx(float(told.summary["inference_time"]))
    assert found.sram == float(told.summary["sram_memory_used"]) * 1024
    assert found.off_chip == float(told.summary["off_chip_flash_memory_used"]) * 1024
    assert found.graph.size == len(told.file)
    shown = re.search(r"Accelerator clock +(\d+) MHz", told.said)
    assert shown is not None
    assert found.clock == int(shown[1]) * 1e6


# model, NPU, system, memory mode, optimise: KiB of SRAM, cycles. Vela 5.2.0's command line,
# by hand, before this project had a line of code for it.
PUBLISHED = [
    ("ad_autoencoder/models/ad01_int8", "ethos-u55-128", None, None, "performance", 0.75, 201184),
    ("kws_dscnn/models/kws_int8", "ethos-u55-128", None, None, "performance", 21.67, 89900),
    ("ic_resnet8/models/resnet8_int8", "ethos-u55-128", None, None, "performance", 50.62, 201747),
    ("kws_dscnn/models/kws_int8", "ethos-u55-256", None, None, "performance", 21.67, 58340),
    ("ic_resnet8/models/resnet8_large_int8", "ethos-u55-256", None, None, "performance", 158.8, 734848),
    ("kws_dscnn/models/kws_int8", "ethos-u55-128", None, None, "size", 15.63, 123052),
    ("ic_resnet8/models/resnet8_int8", "ethos-u55-128", None, None, "size", 35.0, 339097),
    (
        "kws_dscnn/models/kws_int8",
        "ethos-u65-512", "Ethos_U65_Client_Server", "Dedicated_Sram_384KB", "performance", 21.67, 30704,
    ),
    (
        "ad_autoencoder/models/ad01_int8",
        "ethos-u85-256", "Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_384KB", "performance", 13.1, 62705,
    ),
]  # fmt: skip


@pytest.mark.reference
@pytest.mark.parametrize(
    ("model", "npu", "system", "memory", "optimise", "sram", "cycles"), PUBLISHED
)
def test_published_models_have_the_numbers_that_were_found_by_hand(
    reference_models: Path,
    compiler: Compiler,
    model: str,
    npu: str,
    system: str | None,
    memory: str | None,
    optimise: str,
    sram: float,
    cycles: int,
) -> None:
    chosen = replace(settings(npu), optimise=optimise)
    chosen = replace(chosen, system=system or chosen.system, memory=memory or chosen.memory)
    found = compiler.compile(reference_models / f"{model}.tflite", chosen)
    if found.version != "5.2.0":
        pytest.skip(f"the numbers are Vela 5.2.0's, and {found.tool} is installed")
    assert found.cycles == cycles
    assert found.sram / 1024 == pytest.approx(sram, abs=0.06)


def test_constants_in_the_sram_count_as_sram(digits_int8: Path, compiler: Compiler) -> None:
    shared = compiler.compile(digits_int8, settings("ethos-u55-128"))
    only = compiler.compile(digits_int8, replace(settings("ethos-u55-128"), memory="Sram_Only"))
    assert only.off_chip == 0
    assert only.sram > only.constant_bytes == only.used["on_chip_flash"]
    assert shared.off_chip == pytest.approx(shared.constant_bytes, rel=0.01)


def test_one_process_compiles_all_models_in_under_a_fifth_of_a_second(
    digits_int8: Path, compiler: Compiler, tmp_path: Path
) -> None:
    other = Chain().conv("a").conv("b").write(tmp_path / "m.tflite")
    npus = ("ethos-u55-32", "ethos-u65-256", "ethos-u85-256")
    compiler.compile(digits_int8, settings(npus[0]))
    first, seconds = compiler.pid, []
    for npu in npus:
        for model in (digits_int8, other):
            started = time.perf_counter()
            compiler.compile(model, settings(npu))
            seconds.append(time.perf_counter() - started)
    assert compiler.pid == first
    assert statistics.median(seconds) < 0.2


def test_layers_add_up_to_no_more_than_the_whole(digits_int8: Path, compiler: Compiler) -> None:
    found = compiler.compile(digits_int8, settings("ethos-u55-128"))
    values = [layer.value for layer in found.layers]
    assert values == sorted(values, reverse=True)
    assert 0.9 * found.cycles < sum(values) <= found.cycles * 1.01
    names = {op.name.split(";")[0] for op in graph.read(digits_int8).ops}
    assert found.layers[0].name in names


def test_vela_refuses_with_its_own_words_and_goes_on(digits_int8: Path, compiler: Compiler) -> None:
    compiler.compile(digits_int8, settings("ethos-u55-128"))
    before = compiler.pid
    wrong = replace(settings("ethos-u55-128"), system="Nothing")
    with pytest.raises(CannotTell, match=r"Vela refuses .*: .*System_Config\.Nothing not found"):
        compiler.compile(digits_int8, wrong)
    compiler.compile(digits_int8, settings("ethos-u55-128"))
    assert compiler.pid == before


def test_a_model_that_crashes_vela_is_told_and_the_next_one_is_compiled(
    digits_int8: Path, compiler: Compiler, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(digits_int8.read_bytes()[:64])  # Vela 5.2.0 dies of it
    with pytest.raises((DeviceError, CannotTell), match=r"Vela .* (killed by SIGSEGV|refuses)"):
        compiler.compile(cut, settings("ethos-u55-128"))
    assert compiler.compile(digits_int8, settings("ethos-u55-128")).cycles > 0


def test_a_process_that_is_killed_is_told_and_started_anew(digits_int8: Path) -> None:
    compiler = Compiler()
    try:
        compiler.compile(digits_int8, settings("ethos-u55-128"))
        first = compiler.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        with pytest.raises(DeviceError, match=r"the Vela compiler was killed by SIGKILL"):
            compiler.compile(digits_int8, settings("ethos-u55-128"))
        compiler.compile(digits_int8, settings("ethos-u55-128"))
        assert compiler.pid not in (None, first)
    finally:
        compiler.close()
    assert compiler.pid is None


def test_a_process_that_hangs_is_stopped(digits_int8: Path) -> None:
    compiler = Compiler(limit=1)
    try:
        compiler.compile(digits_int8, settings("ethos-u55-128"))
        assert compiler.pid is not None
        os.kill(compiler.pid, signal.SIGSTOP)
        with pytest.raises(
            DeviceError, match=r"gave no answer in 1 s while compiling digits\.tflite"
        ):
            compiler.compile(digits_int8, settings("ethos-u55-128"))
        assert compiler.pid is None
    finally:
        compiler.close()


PARENT = """
import sys
from pathlib import Path
from tests.devices.ethos_u.conftest import settings
from pytest_edgebudget.devices.ethos_u.compiler import Compiler
compiler = Compiler()
while True:
    compiler.compile(Path(sys.argv[1]), settings("ethos-u55-128"))
    print(compiler.pid, compiler._hello["folder"], flush=True)
"""


def test_a_parent_that_is_killed_in_the_middle_leaves_nothing(digits_int8: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(digits_int8)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as parent:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split()
        assert Path(folder).is_dir()
        parent.kill()
    end = time.monotonic() + 10
    while (Path(f"/proc/{pid}").exists() or Path(folder).exists()) and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    assert not Path(folder).exists()


def test_closing_leaves_no_process_and_no_folder(digits_int8: Path) -> None:
    compiler = Compiler()
    compiler.compile(digits_int8, settings("ethos-u55-128"))
    pid, folder = compiler.pid, compiler._hello["folder"]
    assert Path(folder).is_dir()
    compiler.close()
    assert not Path(folder).exists()
    assert not Path(f"/proc/{pid}").exists()


def test_reasons_are_read_in_one_line_each() -> None:
    said = (
        "Tensor 'x' has a dynamic signature in axis 0. Setting shape axis 0 to 1.\n"
        "\nWarning (supported operators) operator: RELU, ofm: 'a/Relu;b's'\n"
        "Reason: Operation has tensor with unsupported DataType Float32 (a)\n"
        'Feature-map dataTypes must be one of {"INT8"}\n'
        "\nWarning (supported operators) operator: FLOOR, ofm: 'f'\n"
        "Reason: Unsupported opType\n\n"
        "Warning (supported operators) operator: RESIZE_BILINEAR, ofm: 'r'\n"
        "Reason: Scaling matches and operation has unsupported scale-factor=3\n"
        "IF not (IFM H == IFM W == 1):\n  - IF half pixel centers:\n\n\nNetwork summary for m\n"
    )  # as Vela 5.2.0 prints it
    assert refusals(said) == [
        Refused(
            "RELU",
            "a/Relu;b's",
            "operation has tensor with unsupported DataType Float32 (a); "
            'feature-map dataTypes must be one of {"INT8"}',
        ),
        Refused("FLOOR", "f", "unsupported opType"),
        Refused(
            "RESIZE_BILINEAR", "r", "scaling matches and operation has unsupported scale-factor=3"
        ),
    ]
