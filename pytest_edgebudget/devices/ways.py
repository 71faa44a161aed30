"""
The ways to run models, one file each and one line here.

Each is imported when it is asked for: whoever reads a profile starts nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from pytest_edgebudget.devices.base import Device, Way
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.types import DeviceChoice

WAYS: Mapping[str, str] = {
    "host": "pytest_edgebudget.devices.host",
    "static": "pytest_edgebudget.devices.static",
    "emulate": "pytest_edgebudget.devices.emulated.way",
    "emulate-system": "pytest_edgebudget.devices.emulated.system.way",
    "emulate-gpu": "pytest_edgebudget.devices.accelerated.emulated",
    "tflm": "pytest_edgebudget.devices.tflm.way",
    "cortex-m": "pytest_edgebudget.devices.cortex_m.way",
    "hls4ml": "pytest_edgebudget.devices.fpga.way",
    "edge-tpu": "pytest_edgebudget.devices.edge_tpu.way",
    "ssh": "pytest_edgebudget.devices.ssh.way",
    "adb": "pytest_edgebudget.devices.adb.way",
    "vela": "pytest_edgebudget.devices.ethos_u.way",
}
"""Names, and the modules whose constant ``WAY`` tells about them."""

ADDRESSES = frozenset({"ssh", "adb"})
"""Those that need an address: ``ssh://pi@pi4.local``."""

NONE: Mapping[str, Way] = {}


def way_named(name: str, added: Mapping[str, Way] = NONE) -> Way:
    """
    A way by its name; *added* are those of extensions.

    Raises EdgeBudgetError when there is none.
    """
    if name in added:
        return added[name]
    if name not in WAYS:
        known = ", ".join([*WAYS, *added])
        raise EdgeBudgetError(
            f"run = {name!r}: there is no such way to run a model", f"known: {known}"
        )
    way: Way = importlib.import_module(WAYS[name]).WAY
    return way


def open_device(choice: DeviceChoice, added: Mapping[str, Way] = NONE) -> Device:
    """
    The device that a budget file chose; starts nothing.

    Raises EdgeBudgetError for a way to run, a runtime or a Python that is not there.
    """
    return way_named(choice.way, added).open(choice)
