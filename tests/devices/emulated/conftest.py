"""What is installed for emulation on this machine, or a skip that says how to install it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.emulated.parts import parts
from pytest_edgebudget.devices.emulated.root import root_part
from pytest_edgebudget.devices.emulated.support import lacks
from pytest_edgebudget.types import DeviceChoice


def need(name: str, runtime: str | None = None) -> None:
    """Skip where something is missing to emulate a board."""
    choice = DeviceChoice(profile=profile_named(name), run="emulate", runtime=runtime)
    missing = lacks(choice, parts())
    if missing:
        pytest.skip("; ".join(f"{lack.what}: {lack.command}" for lack in missing))


@pytest.fixture
def installed_pi() -> Path:
    """The root folder of an installed 64-bit board."""
    need("raspberry-pi-4")
    return parts().path(root_part("arm64"))
