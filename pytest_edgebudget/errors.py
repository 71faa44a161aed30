"""
Every error that a user may see, and who is at fault.

    EdgeBudgetError
    ├── BudgetError      the budget file is wrong: all its mistakes at once
    ├── ModelError       a file is not the model (or the data) that it should be
    ├── BuildError       one candidate cannot be built; the others go on
    ├── MissingExtra     a library is not installed; names the extra
    └── DeviceError      infrastructure: a worker crashed, hung or vanished
        └── Interrupted, Silent  the way to the device broke: the same may work again

A broken budget is none of these: it is a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class EdgeBudgetError(Exception):
    """
    An error with a hint: what is wrong, and what to do next.

    The text of the exception is *message*, then *hint* on a line of its own.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written: *file*, *line* (from 1) and dotted *key*."""

    file: Path
    line: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a budget file."""

    place: Place
    message: str
    hint: str = ""

    def __str__(self) -> str:
        key = f"{self.place.key}: " if self.place.key else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.place.file}:{self.place.line}: {key}{self.message}{hint}"


class BudgetError(EdgeBudgetError):
    """The budget file cannot be used. Holds all its *mistakes*, in file order."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


class ModelError(EdgeBudgetError):
    """A model or data file is missing, damaged, or not what its name says."""


class DataError(ModelError):
    """The samples do not fit the model."""


class BuildError(EdgeBudgetError):
    """A pass could not make this candidate, or its promise is not in the file."""


class DeviceError(EdgeBudgetError):
    """Infrastructure failed: a worker crashed, hung, or ran out of memory."""


class Interrupted(DeviceError):
    """The way to a device broke: what was done is tried *attempts* times in all."""

    attempts = 3


class Silent(Interrupted):
    """A device gave no answer in time; waiting once more takes as long again."""

    attempts = 2


class MissingExtra(EdgeBudgetError):
    """A library that this step needs is not installed."""

    def __init__(self, library: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {library}, which is not installed",
            f"pip install 'pytest-edgebudget[{extra}]'",
        )
        self.library = library
        self.extra = extra
        self.purpose = purpose
