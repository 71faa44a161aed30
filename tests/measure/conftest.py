"""A store and the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.devices import Device, load_profile, open_device, profiles
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import DeviceChoice


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", 1 << 28)


@pytest.fixture
def host() -> Device:
    return open_device(DeviceChoice(profile=load_profile(profiles()["host"]), run="host"))


@pytest.fixture
def board() -> Device:
    profile = load_profile(profiles()["raspberry-pi-4"])
    return open_device(DeviceChoice(profile=profile, run="host"))
