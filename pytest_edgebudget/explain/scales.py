"""Where steps and bytes are in the picture of a memory map."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_edgebudget.explain.pieces import Piece

LEFT, RIGHT, TOP = 84.0, 28.0, 112.0
HEIGHT = 380.0
INK, GREY, FAINT, PEAK = "#1f2933", "#616e7c", "#e4e7eb", "#c81e1e"

_NARROWEST, _WIDEST, _WHOLE = 6.0, 64.0, 1040.0
_GAP, _STRIP = 28.0, 52.0


@dataclass(frozen=True, slots=True)
class Scales:
    """
    Steps and bytes to places.

    *bytes* is what the map's height stands for, *live* the height of the strip
    under it that shows the bytes in use; 0 where the map shows them itself.
    """

    steps: int
    bytes: int
    live: int

    @property
    def step(self) -> float:
        """How wide a step is."""
        return min(_WIDEST, max(_NARROWEST, _WHOLE / self.steps))

    @property
    def width(self) -> float:
        """Of all steps."""
        return self.step * self.steps

    @property
    def strip(self) -> tuple[float, float]:
        """Where the strip begins and ends; it has no height where there is none."""
        top = TOP + HEIGHT + (_GAP if self.live else 0)
        return top, top + (_STRIP if self.live else 0)

    def x(self, step: int) -> float:
        """Where a step begins."""
        return LEFT + self.step * step

    def y(self, offset: int) -> float:
        """Where an address is."""
        return TOP + HEIGHT * (1 - offset / self.bytes)

    def in_strip(self, value: int) -> float:
        """Where so many bytes in use are in the strip."""
        top, bottom = self.strip
        return bottom - (bottom - top) * value / self.live

    def place(self, piece: Piece) -> tuple[float, float, float, float] | None:
        """A piece's x, y, width and height; None when no step uses it."""
        if not 0 <= piece.first <= piece.last < self.steps:
            return None
        x, y = self.x(piece.first), self.y(piece.end)
        height = max(self.y(piece.offset) - y, 0.5)
        return x, y, self.x(piece.last + 1) - x, height
