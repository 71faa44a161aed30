"""What others measured on a device: shown with its source, and never a reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.cli import main
from pytest_edgebudget.devices import load_profile, open_device, profile_named, profiles
from pytest_edgebudget.devices.runtimes import trial_runtime
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.facts import PlanFacts, Predictions
from pytest_edgebudget.types import DeviceChoice

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
CUBEAI = ["stm32h7a3-cubeai", "stm32l4r5-cubeai", "stm32u575-cubeai"]


def test_the_boards_of_x_cube_ai_are_those_of_tflm_with_another_runtime() -> None:
    assert [name for name in profiles() if name.endswith("-cubeai")] == CUBEAI
    for name in CUBEAI:
        mine, other = profile_named(name), profile_named(name.replace("cubeai", "tflm"))
        assert (mine.regions, mine.cpu, mine.clock_hz) == (other.regions, other.cpu, other.clock_hz)
        assert (mine.runtimes, mine.default_run) == (("x-cube-ai",), "static")


def test_energy_over_time_is_the_power_that_the_submission_states() -> None:
    """Milliwatts of NUCLEO-L4R5ZI's runs: 38.7, 41.9, 42.2 and 43.8 (the raw logs)."""
    published = profile_named("stm32l4r5-cubeai").published
    power = [each.energy / each.latency * 1e3 for each in published if each.energy and each.latency]
    assert power == pytest.approx([38.7, 41.9, 42.2, 43.8], rel=0.006)


def test_the_catalogue_shows_it_with_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "stm32l4r5-cubeai"]) == 0
    text = capsys.readouterr().out
    assert "  MLPerf Tiny, keyword spotting     43.2 ms   1.82 mJ\n" in text
    assert "mlcommons/tiny_results_v1.2, closed/STMicroelectronics, NUCLEO_L4R5ZI" in text


def test_a_closed_runtime_is_refused_with_the_reason() -> None:
    device = open_device(DeviceChoice(profile=profile_named(CUBEAI[0]), run="static"))
    assert device.refusal(Predictions) == (
        "X-CUBE-AI is a tool of ST's own, closed, and not to be had offline; "
        "edgebudget devices shows what is published"
    )
    assert device.refusal(PlanFacts).endswith("how it plans memory is not published")
    assert trial_runtime("x-cube-ai") is None


def test_its_budgets_judge_what_the_file_tells(pytester: pytest.Pytester) -> None:
    (pytester.path / "pyproject.toml").write_text("")
    (pytester.path / "st.toml").write_text(
        f'[device]\nprofile = "stm32l4r5-cubeai"\n[models.digits]\npath = "{DIGITS}/digits.tflite"\n'
        '[models.digits.budget]\nsize = "80 KiB"\narena = { max = "1 MiB", when_missing = "skip" }\n'
    )
    result = pytester.runpytest("-p", "no:randomly", "--edge-budget=st.toml")
    result.assert_outcomes(passed=2, skipped=1)


def test_the_memory_of_a_model_there_is_not_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(DIGITS / "digits.tflite"), "--profile", "stm32l4r5-cubeai"]) == 2
    assert "how x-cube-ai plans memory is not known" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[[published]]\nmodel = "m"\n', "published.source: is missing"),
        ('[[published]]\nmodel = "m"\nsource = "s"\nlatency = "4 mJ"\n', "published.latency: "),
        ('[published]\nmodel = "m"\n', "published: must be tables (write [[published]] above each"),
    ],
)
def test_a_wrong_table_is_a_mistake_of_the_profile(
    tmp_path: Path, table: str, message: str
) -> None:
    path = tmp_path / "board.toml"
    path.write_text(f'runtimes = ["tflm"]\n{table}')
    with pytest.raises(EdgeBudgetError) as caught:
        load_profile(path)
    assert message in str(caught.value)
