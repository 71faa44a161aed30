"""Errors of a measurement in the words of who wrote the budget."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_edgebudget.data import DataFile
from pytest_edgebudget.errors import DataError, EdgeBudgetError
from pytest_edgebudget.types import Artifact


@contextmanager
def told_as(name: str, artifact: Artifact, data: DataFile | None) -> Iterator[None]:
    """
    Call *artifact* by *name* in errors, and *data* by its file.

    In the cache a file is named after its bytes, which tell nobody anything.
    """
    try:
        yield
    except EdgeBudgetError as error:
        error.message = error.message.replace(artifact.path.name, name)
        if isinstance(error, DataError) and data is not None:
            error.hint = "; ".join(filter(None, (error.hint, f"the data is {data.path}")))
        raise
