"""
Devices: a profile plus a way to run there.

A profile is data (``profiles/*.toml``); a way to run is one file and one line
in `ways.WAYS`.
"""

from pytest_edgebudget.devices.base import CannotTell as CannotTell
from pytest_edgebudget.devices.base import Device as Device
from pytest_edgebudget.devices.base import Worker as Worker
from pytest_edgebudget.devices.profile import load_profile as load_profile
from pytest_edgebudget.devices.profile import profile_named as profile_named
from pytest_edgebudget.devices.profile import profiles as profiles
from pytest_edgebudget.devices.ways import open_device as open_device
