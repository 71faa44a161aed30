"""What passes promise, looked for in the files that they made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_edgebudget.build import reading
from pytest_edgebudget.errors import BuildError, ModelError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes._checks import left_float
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.types import Step


def check_promises(
    source: Path, steps: Sequence[tuple[Step, Pass]], results: Sequence[Path]
) -> Graph:
    """
    Check each step's result against what was there before it; return the last graph.

    Raises:
        BuildError: a file is no model, or a promise is not in it.
    """
    before = reading.read(source)
    for (step, chosen), path in zip(steps, results, strict=True):
        try:
            after = reading.read(path)
        except ModelError as error:
            raise BuildError(f"{step} made no usable model: {error.message}") from None
        if broken := _broken(step, chosen, before, after):
            raise BuildError(
                f"{step} does not keep its promise: {broken}",
                "the model has layers that this pass cannot change; try another recipe",
            )
        before = after
    return before


def _broken(step: Step, chosen: Pass, before: Graph, after: Graph) -> str:
    try:
        return chosen.check(before, after, step)
    except BuildError:
        raise
    except Exception as error:  # the check may be a user's
        raise BuildError(f"the check of {step} failed: {type(error).__name__}: {error}") from error


def note_of(after: Graph) -> str:
    """What a reader of the artifact must know: ops that stayed in float among integers."""
    kinds = left_float(after)
    return f"in float: {', '.join(kinds)}" if kinds else ""
