"""What the readers raise inside `graph`; `graph.read` turns it into a ModelError."""

from __future__ import annotations


class DamageError(Exception):
    """The file contradicts itself: *what* is wrong, and at which byte (-1: nowhere)."""

    hint = "it may be truncated or damaged: copy it again"

    def __init__(self, what: str, position: int = -1) -> None:
        super().__init__(what, position)
        self.what = what
        self.position = position

    def __str__(self) -> str:
        return self.what if self.position < 0 else f"{self.what} at byte {self.position:,}"


class LimitError(DamageError):
    """The file has more of something than is read of any file, and may yet be sound."""

    hint = "it is damaged, or built unlike any model known: check it with the format's own tools"


def short(text: str) -> str:
    """A name from a file as an error shows it: quoted, and no longer than a line."""
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
