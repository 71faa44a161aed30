"""A device at the other end of a connection, and the helper that runs there."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.connection import Refused
from pytest_edgebudget.devices.remote import bundle
from pytest_edgebudget.devices.remote.connection import Missing, RemoteConnection
from pytest_edgebudget.devices.remote.transport import Transport, in_shell
from pytest_edgebudget.errors import DeviceError, Interrupted

BEAT = 20.0  # seconds between two signs of life
ANSWER = 30.0  # seconds for an answer of the helper


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    How the helper works.

    Attributes:
        folder: where it keeps files; "": ``~/.cache/edgebudget``.
        limit: bytes of that.
        lease: the folder of the lease; "": the board's folder of temporary files.
        root: where the system's files are read, for tests.
        silence: seconds without a word from here after which it ends.
        patience: seconds in which a connection that was lost may come back; a
            board that starts anew takes half a minute to two.
    """

    folder: str = ""
    limit: int = 2 << 30
    lease: str = ""
    root: str = "/"
    silence: float = 90.0
    patience: float = 120.0


@dataclass(slots=True, eq=False)
class Board:
    """
    The board behind *transport*; connected when something is asked of it.

    A board that was not reached at first is not asked again: one error is
    enough for a run. One that was lost is waited for.
    """

    transport: Transport
    python: str
    settings: Settings = field(default_factory=Settings)
    _helper: RemoteConnection | None = None
    _failed: DeviceError | None = None
    _calls: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _end: threading.Event | None = None

    @property
    def name(self) -> str:
        """As messages name it."""
        return self.transport.name

    @property
    def call(self) -> int:
        """Which connection this is, from 1; 0 when there is none."""
        return self._calls if self._helper is not None and self._helper.alive else 0

    def ask(self, op: str, doing: str, limit: float = ANSWER, **parameters: Any) -> dict[str, Any]:
        """
        Ask the helper.

        Raises:
            CannotTell: the board has not what was asked for.
            Interrupted: the connection broke; the next call makes another one.
            DeviceError: the board cannot be reached, or used.
        """
        with self._lock:
            helper = self._connected()
            try:
                return helper.request(op, doing=doing, limit=limit, **parameters)
            except Refused as refused:
                raise self._error(refused, doing) from None
            except DeviceError:
                self._drop()
                raise

    def program(self, what: str, *arguments: str) -> RemoteConnection:
        """Start a program in the board's Python, beside the helper, in the folder of this run."""
        with self._lock:
            folder = str(self.ask("scratch", f"starting {what}")["path"])
            command = self.transport.other(in_shell(self.python, *arguments, folder=folder))
            return RemoteConnection(command, what=what, transport=self.transport)

    def close(self) -> None:
        """End the helper, and with it the connection."""
        with self._lock:
            self._drop()
            self._failed = None
            self.transport.close()

    def _error(self, refused: Refused, doing: str) -> DeviceError | CannotTell:
        if refused.kind == "platform":
            return CannotTell(refused.message, refused.hint)
        return DeviceError(f"{self.name}: {refused.message} (while {doing})", refused.hint)

    # --- the connection ---------------------------------------------------------

    def _connected(self) -> RemoteConnection:
        if self._failed is not None:
            raise self._failed
        if self._helper is not None and not self._helper.alive:
            self._drop()
        if self._helper is None:
            try:
                self._helper = self._again() if self._calls else self._connect()
            except DeviceError as error:
                # Of no kind that is tried again: it was, as often as makes sense.
                self._failed = DeviceError(error.message, error.hint)
                raise self._failed from error
            self._calls += 1
            self._end = threading.Event()
            threading.Thread(target=self._beat, args=(self._end,), daemon=True).start()
        return self._helper

    def _again(self) -> RemoteConnection:
        """Connect to a board that was there before, and may be starting anew."""
        end, pause = time.monotonic() + self.settings.patience, 1.0
        while True:
            try:
                return self._connect()
            except Interrupted:
                if time.monotonic() + pause > end:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 10.0)

    def _connect(self) -> RemoteConnection:
        self.transport.open()
        text = bundle.program(self._told())
        helper = RemoteConnection(
            self.transport.first(bundle.command(self.python, len(text))),
            what=f"{self.python} on {self.name}",
            transport=self.transport,
            first=True,
        )
        try:
            helper.wait(ANSWER * 2)
            helper.send_bytes(text)
            helper.request("beat", doing="starting the helper", limit=ANSWER * 2)
        except Missing as error:
            helper.close()
            raise DeviceError(
                f"{self.name} has no {self.python}",
                f"edgebudget doctor --run {self.transport.url} says what is missing there",
            ) from error
        except Refused as refused:
            helper.close()
            raise self._error(refused, "connecting") from None
        except BaseException:
            helper.close()
            raise
        return helper

    def _told(self) -> dict[str, object]:
        return {
            "folder": self.settings.folder or self.transport.folder,
            "limit": self.settings.limit,
            "lease": self.settings.lease,
            "root": self.settings.root,
            "silence": self.settings.silence,
        }

    def _drop(self) -> None:
        if self._end is not None:
            self._end.set()
        if self._helper is not None:
            helper, self._helper = self._helper, None
            helper.close()

    def _show_life(self, helper: RemoteConnection) -> None:
        """Never a new connection: whoever asks for something makes it."""
        try:
            helper.request("beat", doing="showing a sign of life", limit=ANSWER)
        except (DeviceError, Refused):
            self._drop()

    def _beat(self, end: threading.Event) -> None:
        """Show signs of life while nothing else is said: a helper left alone ends."""
        while not end.wait(min(BEAT, self.settings.silence / 4)):
            if self._lock.acquire(blocking=False):
                try:
                    if self._helper is not None and not end.is_set():
                        self._show_life(self._helper)
                finally:
                    self._lock.release()


def whoever() -> dict[str, str]:
    """Who holds the lease, for those who wait."""
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or "somebody"
    return {"who": f"{user}@{socket.gethostname()}", "since": time.strftime("%H:%M:%S")}


def pieces(size: int, length: int) -> Sequence[int]:
    """Offsets of pieces of *length* bytes; one even of nothing."""
    return range(0, max(size, 1), length)
