"""A conversation with a program on the device; a broken way there is told apart."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pytest_edgebudget.devices.connection import Connection
from pytest_edgebudget.devices.remote.transport import READY, Transport
from pytest_edgebudget.errors import DeviceError, Interrupted, Silent

NOT_FOUND, NOT_RUN, SIGNALLED = 127, 126, 128  # a shell's statuses
TOO_OLD = 77  # a Python's that cannot run the helper
NOISE = 200  # lines that a login shell may print


class RemoteConnection(Connection):
    """
    *command* runs the program over *transport*; *what* names it in messages.

    *first*: it makes the connection that the others share.
    """

    def __init__(
        self, command: Sequence[str], *, what: str, transport: Transport, first: bool = False
    ) -> None:
        self._transport = transport
        self._first = first
        self._ready = False
        super().__init__(command, what=what)

    @property
    def alive(self) -> bool:
        """Whether the call has not ended."""
        return self._process.poll() is None

    def wait(self, limit: float) -> None:
        """Wait until the program is about to start; raises DeviceError when it is not."""
        end = time.monotonic() + limit
        for _ in range(NOISE):
            line = self._line("starting", max(0.1, end - time.monotonic()))
            if line.strip() == READY:
                self._ready = True
                return
        raise DeviceError(
            f"the login shell of {self._transport.name} prints without end",
            "let its start-up files print to terminals only",
        )

    def send_bytes(self, data: bytes) -> None:
        """Send *data* as it is, before the conversation begins."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.buffer.write(data)  # type: ignore[attr-defined]
            self._process.stdin.buffer.flush()  # type: ignore[attr-defined]
        except OSError:
            raise self._death("starting") from None

    def _obituary(self, status: int, limit: float | None, doing: str) -> DeviceError:
        where = self._transport.name
        said = "\n  ".join(self._tail())
        if limit is not None:
            return Silent(f"{self._what} gave no answer in {limit:g} s while {doing}", said)
        if self._first and not self._ready:
            advice = self._transport.advice(said)
            hint = "\n  ".join(part for part in (said, advice) if part)
            return Interrupted(f"there is no connection to {where}", hint)
        if self._transport.broke(status, said):
            return Interrupted(f"the connection to {where} was lost while {doing}", said)
        if status in (NOT_FOUND, NOT_RUN, TOO_OLD):
            return Missing(f"{self._what} does not start", said)
        if status > SIGNALLED:
            status = SIGNALLED - status
        return super()._obituary(status, limit, doing)


class Missing(DeviceError):
    """The program is not there, cannot be run, or is too old."""
