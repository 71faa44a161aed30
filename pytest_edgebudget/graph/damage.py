"""What the readers raise inside `graph`; `graph.read` turns it into a ModelError."""

from __future__ import annotations


class DamageError(Exception):
    """The file contradicts itself: *what* is wrong, and at which byte (-1: nowhere)."""

    def __init__(self, what: str, position: int = -1) -> None:
        super().__init__(what, position)
        self.what = what
        self.position = position

    def __str__(self) -> str:
        return self.what if self.position < 0 else f"{self.what} at byte {self.position:,}"
