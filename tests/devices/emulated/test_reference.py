"""
Real models through the gate on emulated boards.

Expected accuracies: the READMEs of the reference models.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.devices.emulated.conftest import need

pytestmark = [pytest.mark.reference, pytest.mark.slow]

MAIN = "from pytest_edgebudget.cli import main; raise SystemExit(main())"
BUDGET = """
[device]
profile = "{profile}"
run = "emulate"
[models.keywords]
path = "{models}/kws_dscnn/models/kws_int8.tflite"
data = "{models}/kws_dscnn/data.npz"
[models.keywords.budget]
accuracy = 0.9
bit_identity = 0.999
instructions = "{instructions}"
ram = "1 MiB"
latency = {{ max = "8 ms", when_missing = "skip" }}
[models.images]
path = "{models}/ic_resnet8/models/resnet8_int8.tflite"
data = "{models}/ic_resnet8/data.npz"
[models.images.budget]
accuracy = 0.88
bit_identity = 0.999
"""


@pytest.mark.parametrize(
    ("profile", "instructions"), [("raspberry-pi-4", "2 M"), ("raspberry-pi-5", "0.8 M")]
)
def test_reference_models_keep_their_budgets_on_emulated_boards(
    profile: str, instructions: str, reference_models: Path, tmp_path: Path
) -> None:
    """A Cortex-A76 has a product of bytes, and needs a third of the instructions."""
    need(profile)
    budget = BUDGET.format(profile=profile, models=reference_models, instructions=instructions)
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "board.toml").write_text(budget)
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "check", "board.toml", "--format", "json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    models = {model["name"]: model for model in json.loads(done.stdout)["models"]}
    keywords, images = (_readings(models[name]) for name in ("keywords", "images"))
    assert keywords["accuracy"] == pytest.approx(0.9025)
    assert images["accuracy"] == pytest.approx(0.8847, abs=1e-4)
    # A step of an int8 output here and there, on a machine of another make.
    assert min(keywords["bit_identity"], images["bit_identity"]) > 0.999


def _readings(model: dict[str, Any]) -> dict[str, float]:
    readings: dict[str, float] = model["trials"][0]["readings"]
    return readings
