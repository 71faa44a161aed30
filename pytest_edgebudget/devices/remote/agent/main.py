"""The loop that answers requests, and what must be gone when it ends."""

from __future__ import annotations

import base64
import contextlib
import os
import platform
import shutil
import signal
import sys
import sysconfig
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .channel import Channel
from .lease import Lease
from .meter import Meter
from .refusal import Refusal
from .shelf import Shelf
from .state import State

OLD = 86400.0  # seconds


class Agent:
    """The helper's operations, a method each."""

    def __init__(
        self, channel: Channel, settings: dict[str, Any], describe: Callable[[], dict[str, Any]]
    ) -> None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = Path(settings["folder"] or cache / "edgebudget")
        self._channel = channel
        self._describe = describe
        self._shelf = Shelf(folder, settings["limit"])
        self._lease = Lease(Path(settings["lease"] or tempfile.gettempdir()))
        self._state = State(settings["root"])
        self._root = settings["root"]
        self._scratch = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
        _sweep(folder)
        self._workers: dict[int, str] = {}
        self._meter: Meter | None = None

    def hello(self, distributions: list[str]) -> dict[str, Any]:
        """Who is here, and which of the *distributions*."""
        return {
            **self._describe(),
            "cores": os.cpu_count(),
            "model": self._state.model(),
            "affinity": self._state.affinity(),
            "managed": _managed(),
            "versions": {name: _version(name) for name in distributions},
        }

    def scratch(self) -> dict[str, Any]:
        """The folder of this run, which goes with it."""
        return {"path": str(self._scratch)}

    def missing(self, sizes: dict[str, int]) -> dict[str, Any]:
        """Which contents are not here."""
        return {"missing": self._shelf.missing(sizes)}

    def write(self, sha: str, size: int, offset: int, data: str) -> dict[str, Any]:
        """Take a piece of a content."""
        self._shelf.write(sha, size, offset, base64.b64decode(data))
        return {}

    def tree(self, name: str, files: dict[str, str]) -> dict[str, Any]:
        """A folder of contents that are here, under names of their own."""
        return {"path": self._shelf.tree(name, files)}

    def read(self, name: str, offset: int, size: int) -> dict[str, Any]:
        """A piece of a file in this run's own folder."""
        with (self._scratch / Path(name).name).open("rb") as file:
            file.seek(offset)
            data = file.read(size)
        return {"data": base64.b64encode(data).decode("ascii")}

    def forget(self, name: str) -> dict[str, Any]:
        """Remove a file from this run's own folder."""
        with contextlib.suppress(OSError):
            (self._scratch / Path(name).name).unlink()
        return {}

    def lease(self, alone: bool, wait: float, owner: dict[str, Any]) -> dict[str, Any]:
        """Have the board, alone or beside others."""
        owner = {**owner, "pid": os.getpid()}
        if not self._lease.take(alone, wait, owner, self._channel.gone, self._channel.progress):
            sys.exit(0)
        return {}

    def release(self) -> dict[str, Any]:
        """Let others have the board."""
        self._lease.release()
        return {}

    def watch(self, pid: int) -> dict[str, Any]:
        """A worker of this run: it is not to outlive the helper."""
        self._workers[pid] = self._started(pid)
        return {}

    def state(self) -> dict[str, Any]:
        """How the board is now."""
        return self._state.read(list(self._workers))

    def meter(self, command: list[str]) -> dict[str, Any]:
        """Open the energy meter; what it measures."""
        self.unmeter()
        self._meter = Meter(self._root, command)
        return {"domain": self._meter.domain}

    def joules(self) -> dict[str, Any]:
        """Read the meter."""
        if self._meter is None:
            raise Refusal("request", "no meter: open one first")
        return self._meter.read()

    def unmeter(self) -> dict[str, Any]:
        """Close the meter."""
        if self._meter is not None:
            self._meter.close()
            self._meter = None
        return {}

    def beat(self) -> dict[str, Any]:
        """The other side lives."""
        return {}

    def close(self) -> None:
        """Leave nothing of this run behind."""
        for pid, started in self._workers.items():
            if started and self._started(pid) == started:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        self.unmeter()
        self._lease.release()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _started(self, pid: int) -> str:
        """When a process started, in ticks: another one may get its number."""
        fields = State().text(f"proc/{pid}/stat").rpartition(")")[2].split()
        return fields[19] if len(fields) > 19 else ""


def _sweep(folder: Path) -> None:
    """Remove folders of runs whose helper was killed."""
    for path in list(folder.glob("run-*")):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - OLD:
                shutil.rmtree(path, ignore_errors=True)


def _version(distribution: str) -> str:
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError:  # before Python 3.8
        return ""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _managed() -> bool:
    """Whether pip is kept out of this Python (PEP 668)."""
    marker = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
    return sys.prefix == sys.base_prefix and marker.exists()


def main(settings: dict[str, Any], describe: Callable[[], dict[str, Any]]) -> None:
    """Answer requests until nobody is there; *describe* tells about the machine."""
    for name in ("SIGHUP", "SIGTERM"):
        signal.signal(getattr(signal, name), lambda number, frame: sys.exit(0))
    channel = Channel(settings["silence"])
    try:
        agent = Agent(channel, settings, describe)
    except Refusal as refusal:
        channel.refuse(refusal.kind, refusal.message, refusal.hint)
        return
    try:
        for request in channel.requests():
            _answer(agent, channel, request)
    finally:
        agent.close()


OPERATIONS = (
    *("hello", "scratch", "missing", "write", "tree", "read", "forget"),
    *("lease", "release", "watch", "state", "meter", "joules", "unmeter", "beat"),
)


def _answer(agent: Agent, channel: Channel, request: dict[str, Any]) -> None:
    name = request.pop("op", "")
    request.pop("limit", None)
    try:
        if name not in OPERATIONS:
            raise Refusal("request", f"unknown operation {name!r}")
        channel.reply(getattr(agent, name)(**request))
    except Refusal as refusal:
        channel.refuse(refusal.kind, refusal.message, refusal.hint)
    except BrokenPipeError:
        raise
    except Exception as error:
        traceback.print_exc()
        channel.refuse("internal", f"{type(error).__name__}: {error} on {platform.node()}")
