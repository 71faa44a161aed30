"""The host is calibrated for real, with few micro-models; what is written estimates."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from pytest_edgebudget.calibrate.board import _circumstances
from pytest_edgebudget.calibrate.command import Asked, calibrate
from pytest_edgebudget.calibrate.published import from_published
from pytest_edgebudget.calibrate.timing import time_in_turns, unsteady
from pytest_edgebudget.calibrate.wholes import whole_models
from pytest_edgebudget.cli import main
from pytest_edgebudget.devices import load_profile, profile_named
from pytest_edgebudget.devices.base import Circumstances
from pytest_edgebudget.devices.ways import open_device
from pytest_edgebudget.errors import BudgetError, DeviceError, EdgeBudgetError
from pytest_edgebudget.estimate import Estimate, estimate
from pytest_edgebudget.graph import Graph, read
from pytest_edgebudget.types import DeviceChoice, Profile

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits" / "digits.tflite"


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, list[str]]:
    """A profile of this machine: its path, what was printed, and the progress."""
    pytest.importorskip("ai_edge_litert", reason="needs the extra litert")
    path = tmp_path_factory.mktemp("calibrated") / "our-board.toml"
    said: list[str] = []
    asked = Asked(
        run="host",
        name="our-board",
        output=path,
        seconds=15,
        models=(DIGITS,),
        force=True,  # other tests may run beside this one
        thin=4,
    )
    return path, calibrate(asked, said.append), said


def of(graph: Graph, profile: Profile, threads: int = 1, precision: str = "fp32") -> Estimate:
    found = estimate(graph, profile, runtime="litert", threads=threads, precision=precision)
    assert found is not None
    return found


@pytest.mark.slow
def test_what_is_written_is_a_profile_that_estimates(
    calibrated: tuple[Path, str, list[str]], tmp_path: Path
) -> None:
    path, told, said = calibrated
    profile = load_profile(path)
    assert [each.precision for each in profile.calibrations] == ["fp32", "int8", "hybrid"]
    assert f'profile = "{path}"' in told
    assert "25 models that were not fitted" in told
    assert said[0].startswith("copying 1 of")
    assert hash(profile)  # who caches by profiles may
    found = of(read(DIGITS), profile)
    assert found.latency.low < found.latency.value < found.latency.high
    assert found.basis.startswith("calibration of our-board, 20")
    assert sum(op.seconds for op in found.ops) < found.latency.value


@pytest.mark.slow
def test_a_budget_is_judged_by_it(
    calibrated: tuple[Path, str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget = tmp_path / "board.toml"
    budget.write_text(
        f"""
[device]
profile = "{calibrated[0]}"
[models.digits]
path = "{DIGITS}"
[models.digits.budget]
latency = "1 s"
""",
        encoding="utf-8",
    )
    code = main(["check", str(budget)])
    said = capsys.readouterr().out
    assert code == 0, said
    assert "estimated" in said


@pytest.mark.slow
def test_an_estimate_is_near_what_a_worker_measures(
    calibrated: tuple[Path, str, list[str]], tmp_path: Path
) -> None:
    profile = load_profile(calibrated[0])
    device = open_device(DeviceChoice(profile=profile_named("host"), run="host"))
    path = tmp_path / "net.tflite"
    path.write_bytes(whole_models("int8")["inverted residuals"]().tflite())
    times = time_in_turns(device, {"net": path}, seconds=20, say=lambda text: None).times
    value = of(read(path), profile, precision="int8").latency.value
    # A quarter of the micro-models, and a machine that may be busy: within a factor of two.
    assert 0.5 < value / min(times["net"]) < 2


@pytest.mark.slow
def test_what_was_not_calibrated_widens_and_says_so(
    calibrated: tuple[Path, str, list[str]],
) -> None:
    profile, graph = load_profile(calibrated[0]), read(DIGITS)
    known, other = of(graph, profile), of(graph, profile, threads=4)
    assert "not calibrated with 4 threads: with 1" in other.notes
    assert other.latency.high / other.latency.low > known.latency.high / known.latency.low
    strange = dataclasses.replace(graph.main.ops[0], kind="SVDF")
    main_graph = dataclasses.replace(graph.main, ops=(strange, *graph.main.ops[1:]))
    unknown = of(dataclasses.replace(graph, subgraphs=(main_graph,)), profile)
    assert any("SVDF" in note and "not calibrated" in note for note in unknown.notes)


@pytest.mark.slow
def test_a_runtime_that_was_not_calibrated_has_no_estimate(
    calibrated: tuple[Path, str, list[str]],
) -> None:
    profile = load_profile(calibrated[0])
    assert (
        estimate(read(DIGITS), profile, runtime="onnxruntime", threads=1, precision="fp32") is None
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('precision = "int8"', 'precision = "int7"', "precision must be one of fp32, int8, hybrid"),
        ("start = ", "begin = ", "unknown key begin"),
        ("threads = 1", "threads = 0", "threads must be a whole number of at least 1"),
        ("op = ", "op = -", "must be a number from 0 to 10000"),
        ("band = ", "band = inf # ", "band must be a number from 0 to 10000, not inf"),
        ("tile = [", "tile = [0, ", "tile must be three whole numbers"),
    ],
)
def test_impossible_facts_are_refused(
    calibrated: tuple[Path, str, list[str]], tmp_path: Path, before: str, after: str, said: str
) -> None:
    text = calibrated[0].read_text(encoding="utf-8")
    assert before in text
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(BudgetError, match="edgebudget calibrate writes these") as caught:
        load_profile(path)
    assert said in str(caught.value)


def refused(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["calibrate", *arguments])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--profile", "raspberry-pi-44"], 2, "did you mean raspberry-pi-4?"),
        (["--profile", "raspberry-pi-4"], 2, "latency of this machine is not that of raspberry"),
        (["--profile", "stm32l4r5-tflm"], 2, "tflm runs without an operating system"),
        (["--run", "emulate"], 2, "time there is not that of a board"),
        (["--run", "nowhere"], 2, "there is no such way to run a model"),
        (["--run", "ssh://nobody@host.invalid"], 3, "host.invalid"),
        (["--runtime", "onnxruntime"], 2, "micro-models are .tflite files"),
        (["--runtime", "litert2"], 2, "there is no runtime 'litert2'"),
        (["--name", "../x"], 2, "letters, digits"),
        (["--out", "board.json"], 2, "ends with .toml"),
        (["--model", "no.tflite"], 2, "not a .tflite file"),
        (["--seconds", "0"], 2, "--seconds must be more than 0"),
        (["--from-published", "gpu"], 2, "nothing was published of this device"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(
    arguments: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    got, error = refused(*arguments, capsys=capsys)
    assert said in error
    assert got == code
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text("mine")
    code, error = refused("--out", str(path), capsys=capsys)
    assert (code, path.read_text()) == (2, "mine")
    assert "overwrite: --force" in error


def test_too_little_time_is_said_with_how_much_would_do(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="needs the extra litert")
    asked = Asked(run="host", name="x", output=tmp_path / "x.toml", seconds=0.5, thin=40)
    with pytest.raises(EdgeBudgetError, match=r"timings were done in 0 s\n  .*--seconds \d+"):
        calibrate(asked, lambda text: None)
    assert list(tmp_path.iterdir()) == []


CALM = {f"m{i}": [1.0, 1.01, 1.02] for i in range(8)}
BUSY = {f"m{i}": [1.0, 1.5, 1.6] for i in range(8)}


def test_a_board_that_is_now_fast_and_now_slow_is_refused_or_widens() -> None:
    assert unsteady(CALM) == Circumstances()
    assert _circumstances(Circumstances(("52 C",)), CALM, False) == (0.0, ("52 C",))
    with pytest.raises(DeviceError, match="the board was not at rest: 100% of the models ran"):
        _circumstances(Circumstances(), BUSY, False)
    widen, notes = _circumstances(Circumstances(), BUSY, True)
    assert math.isclose(widen, 0.5)
    assert "busy, or slows itself" in notes[0]


def test_a_throttled_board_is_refused_with_the_reason() -> None:
    hot = Circumstances(("the board was throttled: under-voltage",), 0.01)
    with pytest.raises(DeviceError, match="under-voltage"):
        _circumstances(hot, CALM, False)
    busy = Circumstances(("the board was busy: other programs took 25% of its CPU time",), 0.25)
    with pytest.raises(DeviceError, match="took 25% of its CPU time"):
        _circumstances(busy, CALM, False)
    little = Circumstances(("the board was busy: other programs took 6% of its CPU time",), 0.06)
    assert _circumstances(little, CALM, False)[0] == 0.06


def test_the_shipped_fit_of_a_board_is_reproduced() -> None:
    text, equal = from_published("stm32l4r5-cubeai", lambda text: None)
    assert equal
    assert "mcu: the fit equals the shipped one" in text
    assert "families that were left out: median error" in text
