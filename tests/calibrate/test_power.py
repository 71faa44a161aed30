"""The power of a board, where it has a sensor."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.calibrate.power import active_power
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.facts import EnergyFacts


class Board:
    """A device whose sensor tells these watts of one model after the other, 2 W idle."""

    def __init__(self, *watts: float) -> None:
        self.left = list(watts)

    def refusal(self, facts: type) -> str:
        del facts
        return ""

    def source(self, facts: type) -> Any:
        assert facts is EnergyFacts
        return self.told

    def told(self, artifact: Any, fill: Any) -> EnergyFacts:
        del artifact, fill
        watts = self.left.pop(0)
        if not watts:
            raise CannotTell("the sensor sees no difference")
        return EnergyFacts(windows=((watts * 2, 2.0),), idle=(2.0, 2.0), runs=10, domain="board")


@pytest.fixture(name="models")
def _models(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.tflite" for name in "abc"]
    for path in paths:
        path.write_bytes(b"x")
    return paths


def test_it_is_the_middle_model_above_idle_with_how_far_the_others_are(models: list[Path]) -> None:
    found = active_power(Board(5.0, 5.5, 6.0), models, lambda text: None)  # type: ignore[arg-type]
    assert found is not None
    assert found.watts == pytest.approx(3.5)
    assert found.spread == pytest.approx(math.log(3.5 / 3.0))
    assert found.domain == "board"


def test_a_sensor_that_sees_no_difference_tells_none(models: list[Path]) -> None:
    assert active_power(Board(5.0, 0.0), models, lambda text: None) is None  # type: ignore[arg-type]
