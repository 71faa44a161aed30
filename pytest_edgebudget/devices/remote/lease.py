"""The lease on a board: one run times there, or several work beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pytest_edgebudget.devices.remote.board import ANSWER, Board, whoever
from pytest_edgebudget.errors import DeviceError

WAIT = 1800.0  # seconds for the board to become free: others may warm it up before they time


@dataclass(slots=True, eq=False)
class Lease:
    """
    What this run holds of *board*.

    Inside the lease of a timing, or of a worker, nothing more is asked for:
    one inside the other would wait for itself.
    """

    board: Board
    wait: float = WAIT
    _depth: int = 0
    _call: int = 0

    @contextmanager
    def held(self, *, alone: bool) -> Iterator[None]:
        """Hold the board; raises DeviceError when somebody else has it for too long."""
        if self._depth == 0:
            self.board.ask(
                "lease",
                "waiting for the board",
                self.wait + ANSWER,
                alone=alone,
                wait=self.wait,
                owner=whoever(),
            )
            self._call = self.board.call
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0 and self.intact:  # whose connection is gone has no lease
                with suppress(DeviceError):
                    self.board.ask("release", "giving the board back")

    @property
    def intact(self) -> bool:
        """Whether the connection is still the one that has the lease."""
        return self.board.call == self._call
