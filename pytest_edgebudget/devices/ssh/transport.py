"""
OpenSSH's client with one connection for all commands.

The user's configuration, keys, agents, jump hosts and host-key checking stay in
force; nothing is asked (BatchMode). The first call carries the others
(ControlMaster), and runs the helper: when this process dies, however it dies,
the helper's stdin ends, then the helper, then the connection.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from pytest_edgebudget.devices.ssh.address import Address
from pytest_edgebudget.errors import DeviceError

VARIABLE = "EDGEBUDGET_SSH"
"""The command in place of ``ssh``, with options of the user's: ``ssh -F ci/ssh_config``."""

LOST = 255  # ssh's status for errors of its own
PREFIX = "edgebudget-ssh-"
OLD = 3600.0  # seconds
OPTIONS = (
    *("-T", "-a", "-x"),
    *("-o", "BatchMode=yes"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "PermitLocalCommand=no"),
    *("-o", "RemoteCommand=none"),
    *("-o", "ControlPersist=no"),
    *("-o", "ConnectTimeout=15"),
    *("-o", "ConnectionAttempts=2"),
)
INSTALL = "apt install openssh-client"


def program() -> list[str]:
    """The ssh command with the user's own options."""
    return shlex.split(os.environ.get(VARIABLE, "")) or ["ssh"]


@dataclass(slots=True, eq=False)
class Ssh:
    """
    The way to *address*; see `remote.transport.Transport`.

    *alive*: seconds between two of ssh's own signs of life; three that are
    not answered end the connection.
    """

    address: Address
    alive: int = 10
    folder: str = field(default="", init=False)
    _control: Path | None = None
    _connections: int = 0

    @property
    def name(self) -> str:
        """``pi@pi4.local``."""
        return self.address.destination

    @property
    def url(self) -> str:
        """``ssh://pi@pi4.local``."""
        return self.address.url

    @property
    def shell(self) -> str:
        """``ssh -p 2222 pi@pi4.local``."""
        return shlex.join(["ssh", *self._port, self.name])

    def open(self) -> None:
        """Make the private folder of the connection's socket."""
        if sys.platform == "win32":
            raise DeviceError("Windows' ssh cannot share a connection", "run this in WSL")
        if shutil.which(program()[0]) is None:
            raise DeviceError(f"{program()[0]} is not installed on this machine", INSTALL)
        if self._control is None:
            folder = _short_folder()
            _sweep(folder)
            self._control = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))

    def first(self, command: str) -> list[str]:
        """The call that makes the connection; its socket is new: a dead one's may lie there."""
        self._connections += 1
        beats = ["-o", f"ServerAliveInterval={self.alive}", "-o", "ServerAliveCountMax=3"]
        return [*program(), *OPTIONS, *beats, *self._socket("yes"), *self._to(command)]

    def other(self, command: str) -> list[str]:
        """A call over the connection; it never makes one of its own."""
        alone = ["-o", "ProxyCommand=false"]
        return [*program(), *OPTIONS, *self._socket("no"), *alone, *self._to(command)]

    def broke(self, status: int, said: str) -> bool:
        """Programs end with a shell's status (see `in_shell`), ssh itself with 255."""
        del said
        return status == LOST

    def advice(self, said: str) -> str:
        """What to do, by ssh's own words."""
        for words, advice in ADVICE.items():
            if words in said:
                return advice.format(shell=self.shell, host=self.address.host)
        return f"does it work by hand? {self.shell} true"

    def close(self) -> None:
        """Remove the socket's folder; the connection ended with its first call."""
        if self._control is not None:
            shutil.rmtree(self._control, ignore_errors=True)
            self._control = None

    def _socket(self, master: str) -> list[str]:
        return [
            "-o",
            f"ControlMaster={master}",
            "-o",
            f"ControlPath={self._control}/{self._connections}",
        ]

    @property
    def _port(self) -> list[str]:
        return ["-p", str(self.address.port)] if self.address.port is not None else []

    def _to(self, command: str) -> list[str]:
        return [*self._port, "--", self.name, command]


ADVICE = {
    "Permission denied": "no question is asked here: let a key do. ssh-copy-id {host}, "
    "or ssh-add for a key with a passphrase",
    "Host key verification failed": "connect once by hand, and compare the key's fingerprint: "
    "{shell}",
    "HOST IDENTIFICATION HAS CHANGED": "was the board installed anew? If so: ssh-keygen -R {host}",
    "Could not resolve hostname": "is the name right, and the board in this network?",
    "Connection refused": "does the board run an ssh server? sudo systemctl enable --now ssh",
    "timed out": "is the board on, and in this network?",
}


def _short_folder() -> Path:
    """Where a socket's path stays below the 104 bytes that systems allow."""
    plain = Path("/tmp")  # noqa: S108 a private folder is made inside
    return plain if os.access(plain, os.W_OK) else Path(tempfile.gettempdir())


def _sweep(folder: Path) -> None:
    """Remove folders of runs that were killed: old ones, whose sockets nobody answers."""
    for path in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - OLD:
                for each in path.iterdir():
                    if not _answers(each):
                        each.unlink()
                path.rmdir()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as found:
        found.settimeout(1)
        try:
            found.connect(str(path))
        except ConnectionRefusedError:
            return False
    return True
