"""Commands on a phone without a Python: files by SHA-256, a lease, a program that is run."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pytest_edgebudget.devices.adb.transport import Adb
from pytest_edgebudget.devices.remote.board import whoever
from pytest_edgebudget.errors import DeviceError, Interrupted, Silent

ANSWER = 30.0  # seconds
SLOWEST = 200e3  # bytes a second that a connection must manage
EXPIRY = 900  # seconds after which a lease is nobody's any more
WAIT = 600.0  # seconds for the phone to become free
PAUSE = 1.0  # seconds

TAKE = """
if mkdir {lease} 2>/dev/null; then echo {who} $(date +%s) > {lease}/owner; echo mine; exit; fi
set -- $(cat {lease}/owner 2>/dev/null)
if [ $(( $(date +%s) - ${{2:-0}} )) -gt {expiry} ]; then rm -r {lease}; echo free; exit; fi
echo "$1"
"""
"""A folder is made by one of two only; whoever died with it loses it after a while."""


WATCHED = """
exec 3<&0; {command} 2>&1 & tool=$!
{{ cat <&3; kill -9 $tool; }} >/dev/null 2>&1 & watch=$!
wait $tool; status=$?; kill $watch 2>/dev/null; exit $status
"""
"""Whoever waits for the tool closes its stdin by dying, and the tool dies with it."""


@dataclass(slots=True, eq=False)
class Phone:
    """
    The phone behind *adb*.

    *copied* counts the bytes that had to be sent.
    """

    adb: Adb
    wait: float = WAIT
    copied: int = 0
    _there: set[str] = field(default_factory=set)

    def run(self, command: str, doing: str, limit: float = ANSWER) -> str:
        """
        What *command* prints on the phone.

        Raises:
            Interrupted: the connection broke.
            Silent: no end within *limit* seconds.
            DeviceError: the command failed.
        """
        return self._call(self.adb.other(command), doing, limit)

    def run_watched(self, command: str, doing: str, limit: float) -> str:
        """As `run`, for what takes long: it does not outlive this process, or the *limit*."""
        return self.run(WATCHED.format(command=command), doing, limit)

    def put(self, path: Path, *, runs: bool = False) -> str:
        """The path on the phone of (a copy of) a file from here; *runs*: a program."""
        content = path.read_bytes()
        sha = hashlib.sha256(content).hexdigest()
        folder = f"{self.adb.folder}/{sha}"
        there = f"{folder}/{path.name}"
        if sha not in self._there:
            doing = f"copying {path.name}"
            size = self.run(f"stat -c %s {shlex.quote(there)} 2>/dev/null || true", doing)
            if size.strip() != str(len(content)):
                self._send(path, folder, len(content), doing)
            if runs:
                self.run(f"chmod 755 {shlex.quote(there)}", doing)
            self._there.add(sha)
        return there

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Have the phone alone; raises DeviceError when somebody else has it for too long."""
        lease = shlex.quote(f"{self.adb.folder}/lease")
        who = shlex.quote(whoever()["who"])
        take = TAKE.format(lease=lease, who=who, expiry=EXPIRY)
        end = time.monotonic() + self.wait
        self.run(f"mkdir -p {shlex.quote(self.adb.folder)}", "making a folder")
        while (owner := self.run(take, "waiting for the phone").strip()) != "mine":
            if owner != "free":
                if time.monotonic() > end:
                    raise DeviceError(f"{self.adb.name} is in use by {owner}")
                time.sleep(PAUSE)
        try:
            yield
        finally:
            with suppress(DeviceError):  # it expires
                self.run(f"rm -rf {lease}", "giving the phone back")

    def _send(self, path: Path, folder: str, size: int, doing: str) -> None:
        """Push under another name, then rename: half a file is never taken for the whole."""
        there, partial = f"{folder}/{path.name}", f"{folder}/.partial"
        self.run(f"mkdir -p {shlex.quote(folder)}", doing)
        self._call(self.adb.push(str(path), partial), doing, ANSWER + size / SLOWEST)
        self.run(f"mv {shlex.quote(partial)} {shlex.quote(there)}", doing)
        self.copied += size

    def _call(self, command: list[str], doing: str, limit: float) -> str:
        self.adb.open()
        # Its other end closes when this process dies, however it dies.
        held, holding = os.pipe()
        try:
            child = subprocess.run(
                command,
                stdin=held,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Silent(f"{self.adb.name} gave no answer in {limit:g} s while {doing}") from None
        finally:
            os.close(held)
            os.close(holding)
        if child.returncode == 0:
            return child.stdout
        said = (child.stderr.strip() or child.stdout.strip())[-2000:]
        if self.adb.broke(child.returncode, said):
            raise Interrupted(
                f"there is no connection to {self.adb.name}", f"{said}\n  {self.adb.advice(said)}"
            )
        raise DeviceError(
            f"{self.adb.name} ended with status {child.returncode} while {doing}",
            said.replace("\n", "\n  "),
        )
