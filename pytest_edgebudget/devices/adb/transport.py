"""Android's own client: one USB or network connection, kept by its server, for all commands."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from dataclasses import dataclass, field

from pytest_edgebudget.errors import DeviceError, EdgeBudgetError

VARIABLE = "EDGEBUDGET_ADB"
"""The command in place of ``adb``, with options of the user's: ``adb -P 5038``."""

FOLDER = "/data/local/tmp/edgebudget"
"""The one place where the shell's user may keep programs and run them."""
PHONE_TMP = "/data/local/tmp"
URL = re.compile(r"adb://([A-Za-z0-9_][A-Za-z0-9_.:-]*)")
INSTALL = "apt install adb"
LOST = (0, 255)  # a client whose phone went away has no status to tell; ours never end so
COMPLAINTS = ("error:", "adb: error:", "adb: device", "- waiting for device")


def parse(url: str) -> str:
    """The serial number in ``adb://SERIAL``; raises EdgeBudgetError where there is none."""
    match = URL.fullmatch(url)
    if match is None:
        raise EdgeBudgetError(
            f"run = {url!r} is no address of a phone",
            "write adb://SERIAL, with a serial number that adb devices lists",
        )
    return match[1]


def program() -> list[str]:
    """The adb command with the user's own options."""
    return shlex.split(os.environ.get(VARIABLE, "")) or ["adb"]


@dataclass(slots=True, eq=False)
class Adb:
    """The way to the phone *serial*; see `remote.transport.Transport`."""

    serial: str
    folder: str = field(default=FOLDER, init=False)

    @property
    def name(self) -> str:
        """``the phone emulator-5554``."""
        return f"the phone {self.serial}"

    @property
    def url(self) -> str:
        """``adb://emulator-5554``."""
        return f"adb://{self.serial}"

    @property
    def shell(self) -> str:
        """``adb -s emulator-5554 shell``."""
        return shlex.join(["adb", "-s", self.serial, "shell"])

    def open(self) -> None:
        """Say where the client is missing; its server starts by itself."""
        if shutil.which(program()[0]) is None:
            raise DeviceError(f"{program()[0]} is not installed on this machine", INSTALL)

    def first(self, command: str) -> list[str]:
        """Every call is alike."""
        return self.other(command)

    def other(self, command: str) -> list[str]:
        """A call without a terminal: what is sent arrives as it is."""
        return [*program(), "-s", self.serial, "shell", "-T", command]

    def push(self, source: str, target: str) -> list[str]:
        """A call that copies a file to the phone."""
        return [*program(), "-s", self.serial, "push", source, target]

    def broke(self, status: int, said: str) -> bool:
        """The client's own words, or a status that programs of ours never have."""
        last = said.strip().splitlines()[-1:] or [""]
        return status in LOST or last[0].strip().startswith(COMPLAINTS)

    def advice(self, said: str) -> str:
        """What to do, by adb's own words."""
        for words, advice in ADVICE.items():
            if words in said:
                return advice
        return f"does it work by hand? {self.shell} true"

    def close(self) -> None:
        """Nothing: adb's server is the user's."""


ADVICE = {
    "not found": "is it plugged in, with USB debugging on? adb devices lists what is there",
    "unauthorized": "allow USB debugging for this machine on the phone's screen",
    "offline": "unplug it and plug it in again, or: adb reconnect",
    "more than one": "name its serial number, as adb devices lists it",
}
