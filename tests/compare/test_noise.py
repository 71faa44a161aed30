"""What a machine can tell: by replay, from a run of the command, and in the linter."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_edgebudget.against.deciding import MOST, compare
from pytest_edgebudget.against.noise import needs, noise_of
from pytest_edgebudget.budget import read_budget
from pytest_edgebudget.cli import main
from pytest_edgebudget.extensions import command_line_manager, registry_of
from pytest_edgebudget.lint.table import RULES_BY_CODE
from pytest_edgebudget.measure.noise_floor import Floor, read_floor, write_floor
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Budget
from tests.lint.check import messages

DIGITS = Path(__file__).parent.parent.parent / "examples" / "digits"
RULE = RULES_BY_CODE["EB118"]
TEXT = """\
[device]
profile = "host"
[models.digits]
path = "digits.tflite"
[models.digits.budget]
latency = {{ {latency} }}
latency_p95 = {{ {p95} }}
"""
FLOOR = Floor(
    value=0.023, low=0.019, high=0.029, apart=0.08, seconds=1e-5, workers=20,
    runtime="litert 2.3.0", day="2026-11-20", sha256="ab" * 32,
)  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    shutil.copy(DIGITS / "digits.tflite", tmp_path / "digits.tflite")
    return tmp_path


def budget(project: Path, latency: str, p95: str = 'max = "1 s"') -> Budget:
    path = project / "host.toml"
    path.write_text(TEXT.format(latency=latency, p95=p95))
    return read_budget(path, registry_of(command_line_manager()), root=project)


def measured(project: Path, found: Budget, floor: Floor = FLOOR) -> None:
    write_floor(Store(project / ".edgebudget_cache", 2**30), found, "digits", floor)


@pytest.mark.parametrize("seed", range(20))
def test_a_limit_is_kept_from_what_the_comparison_itself_needs(seed: int) -> None:
    drawn = random.Random(seed)
    logs = [drawn.gauss(0, 0.004) for _ in range(MOST)]
    least = needs(logs)

    assert compare(lambda number: logs[number], 1 + least * 1.0001).outcome == "kept"
    first = compare(lambda number: logs[number % MOST], 1 + least * 0.9999)
    assert first.outcome != "kept"


def test_more_noise_is_a_higher_floor_and_its_interval_holds_it() -> None:
    drawn = random.Random(5)
    quiet = noise_of([drawn.gauss(0, 0.001) for _ in range(20)], [1e-3] * 20)
    loud = noise_of([drawn.gauss(0, 0.02) for _ in range(20)], [1e-3, 1.1e-3] * 10)

    assert quiet.value < 0.01 < loud.value < 0.1
    assert quiet.low <= quiet.value <= quiet.high
    assert loud.low <= loud.value <= loud.high
    assert quiet.apart == 0
    assert loud.apart == pytest.approx(0.1, abs=0.01)


def test_it_is_kept_by_machine_and_comes_back(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = budget(project, 'max_regression = "1 %"')
    store = Store(project / ".edgebudget_cache", 2**30)
    assert read_floor(store, found, "digits") is None
    measured(project, found)
    assert read_floor(store, found, "digits") == FLOOR
    assert read_floor(store, found, "other") is None
    two = replace(found, device=replace(found.device, threads=2))
    assert read_floor(store, two, "digits") is None
    monkeypatch.setattr("pytest_edgebudget.measure.noise_floor.cpu", lambda: "another CPU")
    assert read_floor(store, found, "digits") is None


@pytest.mark.parametrize(
    ("latency", "p95", "count"),
    [
        ('max_regression = "2 %"', 'max = "1 s"', 1),
        ('max_regression = "1 %", min_change = "2 %"', 'max = "1 s"', 1),
        ('max_regression = "3 %"', 'max_regression = "5 %"', 1),
        ('max_regression = "2 %"', 'max_regression = "5 %"', 2),
        ('max_regression = "3 %"', 'max_regression = "9 %"', 0),
        ('max_regression = "1 %", min_change = "3 %"', 'max = "1 s"', 0),
        ('max_regression = "10 us"', 'max = "1 s"', 0),
        ('max = "1 s"', 'max = "1 s"', 0),
    ],
)
def test_a_regression_below_the_floor_is_found(
    project: Path, latency: str, p95: str, count: int
) -> None:
    measured(project, budget(project, latency, p95))

    assert len(messages(RULE, project / "host.toml")) == count


def test_the_finding_says_what_was_measured_and_when(project: Path) -> None:
    measured(project, budget(project, 'max_regression = "2 %"', 'max_regression = "5 %"'))

    assert messages(RULE, project / "host.toml") == [
        "2.0 % is less than this machine can tell: compared in turns, an unchanged model keeps "
        "2.3 % (1.9 % - 2.9 %), as measured on 2026-11-20",
        "5.0 % is less than this machine can tell: even the medians of two runs differ by "
        "8.0 %, as measured on 2026-11-20",
    ]


def test_nothing_is_said_nor_made_where_nothing_was_measured(project: Path) -> None:
    budget(project, 'max_regression = "0.1 %"')

    assert messages(RULE, project / "host.toml") == []
    assert not (project / ".edgebudget_cache").exists()


def test_the_command_measures_and_keeps_it(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ai_edge_litert", reason="runs the model")
    monkeypatch.setattr("pytest_edgebudget.catalogue.noise.WORKERS", MOST)
    found = budget(project, 'max_regression = "1 %"')
    assert main(["doctor", "host.toml", "--noise"]) == 0
    said = capsys.readouterr().out
    floor = read_floor(Store(project / ".edgebudget_cache", 2**30), found, "digits")

    assert floor is not None
    assert 0.006 <= floor.low <= floor.value <= floor.high  # no interval is narrower than 0.6 %
    assert floor.workers == MOST
    assert f"from {100 * floor.value:.1f} % (" in said
    assert floor.runtime.startswith("litert ")


def test_models_without_a_limit_of_time_are_not_timed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "host.toml").write_text(TEXT.partition("latency")[0] + 'size = "1 MiB"\n')

    assert main(["doctor", "host.toml", "--noise"]) == 0
    assert "no model has a limit of latency" in capsys.readouterr().out


def test_a_model_that_cannot_be_timed_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget(project, 'max_regression = "1 %"')
    model = project / "digits.tflite"
    model.write_bytes(model.read_bytes()[:4000])

    assert main(["doctor", "host.toml", "--noise"]) == 3
    assert "  digits: not timed: " in capsys.readouterr().out


def test_noise_of_no_budget_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--noise"]) == 2
    assert "edgebudget doctor BUDGET --noise" in capsys.readouterr().err
