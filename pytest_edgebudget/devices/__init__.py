"""
Devices: a profile plus a way to run there.

A profile is data (``profiles/*.toml``); a way to run is one file here and one
line in `_WAYS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_edgebudget.devices.base import CannotTell as CannotTell
from pytest_edgebudget.devices.base import Device as Device
from pytest_edgebudget.devices.base import Worker as Worker
from pytest_edgebudget.devices.profile import load_profile as load_profile
from pytest_edgebudget.devices.profile import profile_named as profile_named
from pytest_edgebudget.devices.profile import profiles as profiles
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.types import DeviceChoice


# Each way is imported when it is asked for: whoever reads a profile starts no process.
def _host(choice: DeviceChoice) -> Device:
    from pytest_edgebudget.devices.host import open_host

    return open_host(choice)


def _static(choice: DeviceChoice) -> Device:
    from pytest_edgebudget.devices.static import open_static

    return open_static(choice)


_WAYS: Mapping[str, Callable[[DeviceChoice], Device]] = {"host": _host, "static": _static}


def open_device(choice: DeviceChoice) -> Device:
    """
    The device that a budget file chose; starts nothing.

    Raises EdgeBudgetError for a way to run, a runtime or a Python that is not there.
    """
    way = choice.run.partition("://")[0]
    if way not in _WAYS:
        raise EdgeBudgetError(
            f"run = {choice.run!r}: there is no such way to run a model",
            f"known: {', '.join(_WAYS)}",
        )
    return _WAYS[way](choice)
