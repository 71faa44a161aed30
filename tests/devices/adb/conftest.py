"""A stand-in for a phone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_edgebudget.devices.adb.transport import VARIABLE
from tests.devices.adb.stand_in import StandIn


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """No phone: see `stand_in`."""
    if os.name != "posix":
        pytest.skip("the stand-in for a phone needs a shell")
    found = StandIn(tmp_path)
    monkeypatch.setenv(VARIABLE, str(found.path))
    return found
