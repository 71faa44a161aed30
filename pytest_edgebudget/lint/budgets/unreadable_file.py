"""
A file cannot be used: it is damaged, is something else, or is a wrong budget file.

What it finds
    A model that is missing, truncated, damaged, a Git LFS pointer or no model at all. In a
    budget file, every mistake at its own line: unknown keys, units that are missing, models
    that are not there. The exit code is then 2, and nothing switches this off: what cannot be
    read has not been looked at.

Why it hurts
    Such a file fails where it is used, with a worse message: LiteRT says "Model provided has
    model identifier '...'" of a Git LFS pointer, and TensorFlow Lite Micro, which does not
    verify what it is given, reads beyond the end of a truncated model.

Example:
    ``models/keywords.tflite: EB100 error: a Git LFS pointer, not the model itself``

Instead
    Each finding says what to do: fetch the file, copy it again, correct the line.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.errors import BudgetError, EdgeBudgetError
from pytest_edgebudget.lint.base import Finding, Rule, Severity


def check(error: EdgeBudgetError) -> Iterator[Finding]:
    """A finding for each mistake that *error* tells."""
    if isinstance(error, BudgetError):
        for mistake in error.mistakes:
            yield Finding(
                mistake.message,
                where=mistake.place.key,
                instead=mistake.hint,
                line=mistake.place.line,
                file=mistake.place.file,
            )
    else:
        yield Finding(error.message, instead=error.hint)


RULE = Rule(
    code="EB100",
    name="unreadable-file",
    severity=Severity.ERROR,
    needs=EdgeBudgetError,
    check=check,
)
