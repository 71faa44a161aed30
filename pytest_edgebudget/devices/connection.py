"""A conversation in JSON lines with a worker that may crash, hang or chatter."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event, Timer
from types import TracebackType
from typing import IO, Any, Self

from pytest_edgebudget.errors import DeviceError

TAIL_LINES = 6
LOG_LIMIT = 1 << 20  # bytes of stderr that are kept while a worker lives
PATIENCE = 5.0  # seconds for a worker to end by itself


class Refused(Exception):
    """The worker lives, and says that it cannot do it; see ``worker.refusal``."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(kind, message, hint)
        self.kind = kind
        self.message = message
        self.hint = hint


class Connection:
    """
    A child process that answers one request at a time.

    *what* names it in messages ("the litert worker"); *folder* is where it
    works: what a runtime leaves behind lies there. Closing it ends the child,
    gently first; so does leaving the ``with`` block, whatever happened.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        what: str,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._what = what
        # A file and not a pipe: nobody has to read while the worker is timed.
        self._log: IO[bytes] = tempfile.TemporaryFile("a+b")  # noqa: SIM115 closed in close()
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                encoding="utf-8",
                env=None if env is None else dict(env),
                cwd=folder,
            )
        except OSError as error:
            self._log.close()
            raise DeviceError(f"{what} does not start: {error.strerror}: {command[0]}") from error

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the child is gone, however it ended."""
        return self._process.poll() is not None

    def request(self, op: str, *, doing: str, limit: float, **parameters: Any) -> dict[str, Any]:
        """
        Ask for *op*; return its result.

        Args:
            op: the worker's operation.
            doing: as in "while running x_test of kws.tflite".
            limit: seconds until an answer or a sign of progress.
            parameters: the operation's.

        Raises:
            DeviceError: the worker died, hung or answered nonsense.
            Refused: the worker says that it cannot.
        """
        self._send({"op": op, "limit": limit, **parameters}, doing)
        last = ""
        while True:
            reply = self._receive(doing + last, limit)
            if "progress" not in reply:
                break
            last = f" ({reply['progress']})"
        if "error" in reply:
            error = reply["error"]
            raise Refused(error["kind"], error["message"], error["hint"])
        self._shorten_log()
        result: dict[str, Any] = reply["ok"]
        return result

    def close(self) -> None:
        """End the child and reap it."""
        with contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, Exception):
            self._process.kill()  # an interrupted user does not wait for a model
        self.close()

    def _send(self, value: Mapping[str, Any], doing: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(value) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise self._death(doing) from None

    def _receive(self, doing: str, limit: float) -> dict[str, Any]:
        line = self._line(doing, limit)
        try:
            reply: dict[str, Any] = json.loads(line)
        except ValueError:
            raise DeviceError(f"{self._what} answered nonsense while {doing}: {line!r}") from None
        return reply

    def _line(self, doing: str, limit: float) -> str:
        """What it prints next; raises DeviceError when nothing comes in *limit* seconds."""
        assert self._process.stdout is not None
        expired = Event()
        timer = Timer(limit, self._stop, [expired])
        timer.daemon = True
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line.endswith("\n"):
            raise self._death(doing, limit if expired.is_set() else None)
        return line

    def _stop(self, expired: Event) -> None:
        expired.set()
        self._process.kill()

    def _death(self, doing: str, limit: float | None = None) -> DeviceError:
        """What became of the child, as an error."""
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        return self._obituary(status, limit, doing)

    def _obituary(self, status: int, limit: float | None, doing: str) -> DeviceError:
        """The error for a child that ended with *status*; *limit* if we ended it after so long."""
        return DeviceError(
            f"{self._what} {_ended(status, limit)} while {doing}", self._hint(status)
        )

    def _hint(self, status: int) -> str:
        words = _HINTS.get(-status, "")
        tail = "\n  ".join(self._tail())
        said = f"it said last:\n  {tail}" if tail else ""
        return "\n  ".join(part for part in (words, said) if part)

    def _tail(self) -> list[str]:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - 4096))
        text = self._log.read().decode("utf-8", errors="replace")
        return text.splitlines()[-TAIL_LINES:]

    def _shorten_log(self) -> None:
        # The child appends, so that it goes on at the new end.
        if os.fstat(self._log.fileno()).st_size > LOG_LIMIT:
            self._log.truncate(0)


_HINTS = {
    signal.SIGKILL.value if hasattr(signal, "SIGKILL") else 9: (
        "somebody killed it, or the system did because memory ran out: "
        "try a smaller model, or see the system's log"
    ),
    signal.SIGSEGV.value: "the runtime crashed on this model; another version may run it",
    signal.SIGABRT.value: "the runtime gave up on this model; another version may run it",
    signal.SIGILL.value: "the runtime was built for another CPU",
}


def _ended(status: int, limit: float | None) -> str:
    if limit is not None:
        return f"was stopped because it gave no answer in {limit:g} s"
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = "a signal"
    return f"was killed by {name} ({-status})"
