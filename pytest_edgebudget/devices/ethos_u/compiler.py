"""Vela in a process of its own, kept open: one start for many models."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_edgebudget import graph, locks
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.connection import Connection, Refused
from pytest_edgebudget.devices.ethos_u.report import Compiled, compiled
from pytest_edgebudget.devices.ethos_u.settings import DISTRIBUTION, Settings
from pytest_edgebudget.errors import DeviceError, MissingExtra

COMMAND = (sys.executable, "-P", "-B", "-m", "pytest_edgebudget.devices.ethos_u.child")
START = 60.0  # seconds
LIMIT = 120.0
"""Seconds for one model: those of a microcontroller take less than one."""


class Compiler:
    """
    Compiles models one after the other; starts its process when the first one comes.

    A process that a model has crashed is started anew for the next one.
    """

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit
        self._connection: Connection | None = None
        self._hello: dict[str, Any] = {}
        self._one = threading.Lock()  # a request at a time

    def compile(
        self, model: Path, settings: Settings, keep: Callable[[Path], None] | None = None
    ) -> Compiled:
        """
        Compile the .tflite at *model*; its file is never changed.

        *keep* is called with the file that Vela wrote, which is gone afterwards.

        Raises:
            CannotTell: Vela refuses the model, or the settings; in its own words.
            DeviceError: Vela crashed, hung or ran out of memory.
            MissingExtra: Vela is not installed.
        """
        with self._one, locks.busy():
            return self._compile(model.resolve(), settings, keep)

    def _compile(
        self, model: Path, settings: Settings, keep: Callable[[Path], None] | None
    ) -> Compiled:
        doing = f"compiling {model.name} for {settings.accelerator}"
        reply = self._ask(
            "compile", doing, self._limit, model=str(model), arguments=settings.arguments
        )
        written = Path(reply["model"])
        if keep:
            keep(written)
        return compiled(
            settings,
            str(self._hello["version"]),
            graph.read(written),
            reply,
            reply["summary"],
            reply["layers"],
        )

    def close(self) -> None:
        """End the process; the next model starts another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
            shutil.rmtree(self._hello.get("folder", ""), ignore_errors=True)

    @property
    def pid(self) -> int | None:
        """The id of the process; None while there is none."""
        return self._connection.pid if self._connection else None

    def _ask(self, op: str, doing: str, limit: float, **parameters: Any) -> dict[str, Any]:
        try:
            return self._started().request(op, doing=doing, limit=limit, **parameters)
        except Refused as refused:
            raise _error(refused, doing) from None
        except BaseException:  # DeviceError, or an interrupt: it may be in the middle of something
            self.close()
            raise

    def _started(self) -> Connection:
        if self._connection is None:
            self._connection = Connection(COMMAND, what="the Vela compiler")
            self._hello = {}
            self._hello = self._connection.request("hello", doing="importing Vela", limit=START)
        return self._connection


def _error(refused: Refused, doing: str) -> Exception:
    if refused.kind == "missing":
        return MissingExtra(DISTRIBUTION, "ethos-u", doing)
    if refused.kind == "memory":
        return DeviceError(f"{refused.message} while {doing}", "try a smaller model")
    return CannotTell(f"Vela refuses the model: {refused.message}")
