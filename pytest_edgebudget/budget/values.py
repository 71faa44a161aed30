"""Quantities of a table, read in a metric's unit; what cannot be read is noted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pytest_edgebudget.budget.mistakes import Mistakes
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.types import Tolerance, Unit
from pytest_edgebudget.units import parse, parse_tolerance

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Values:
    """The keys of *table*, each None when it is not there or is a mistake."""

    table: Node
    mistakes: Mistakes

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.table.table

    def text(self, key: str, default: str) -> str:
        """A word that the grammar check has found to be one of the choices."""
        return self.table.table[key].text if self.has(key) else default

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false; *default* when absent."""
        node = self.table.table.get(key)
        return default if node is None else node.value is True

    def quantity(self, key: str, unit: Unit) -> float | None:
        """A bound in SI units."""
        return self._read(key, lambda written: parse(written, unit))

    def tolerance(self, key: str, unit: Unit | None) -> Tolerance | None:
        """A change; with *unit* None only a relative one will do."""
        if unit is None:
            return self._read(key, _relative)
        return self._read(key, lambda written: parse_tolerance(written, unit))

    def confidence(self, key: str) -> float | None:
        """A confidence as a fraction."""
        return self._read(key, _confidence)

    def refuse(self, key: str, message: str, hint: str = "") -> None:
        """Note that the key may not be there, if it is."""
        if self.has(key):
            self.mistakes.add(self.table.table[key].place, message, hint)

    def _read(self, key: str, read: Callable[[str | float], T]) -> T | None:
        node = self.table.table.get(key)
        if node is None or not isinstance(node.value, str | int | float):
            return None
        try:
            return read(node.value)
        except ValueError as error:
            self.mistakes.add(node.place, str(error))
            return None


def _confidence(written: str | float) -> float:
    value = parse(written, Unit.FRACTION)
    if not 0.5 < value < 1:
        raise ValueError("a confidence lies between 0.5 and 1, such as 0.95")
    return value


def _relative(written: str | float) -> Tolerance:
    if isinstance(written, str) and written.strip().endswith("%"):
        return parse_tolerance(written, Unit.FRACTION)
    raise ValueError('for all metrics alike it is relative: write "2%"')
