"""Whether the passes of a recipe can follow one another."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.types import Step

SOURCES = 'path = "model.keras", or "package.module:function" that returns a Keras model'
"""What can be trained."""


def wrong_order(steps: Sequence[tuple[Step, Pass]]) -> tuple[str, str]:
    """
    A sentence for the first step that stands at the wrong place, and what to do; else empty.

    Steps that train come first, and one that trains for another has it right behind.
    """
    for (early, before), (late, chosen) in itertools.pairwise(steps):
        if chosen.trains and not before.trains:
            return (
                f"{late} trains the Keras model, and {early} before it works on what was exported",
                f"let {late.name} come first",
            )
    for (step, chosen), behind in zip(steps, [*steps[1:], None], strict=True):
        if chosen.then and (behind is None or behind[0].name != chosen.then):
            return (
                f"{step} trains for {chosen.then}, which has to come right behind it",
                f"write {step}+{chosen.then}",
            )
    return "", ""


def untrainable(step: Step) -> str:
    """The sentence for a step that trains, and a source that cannot be trained."""
    return f"{step} trains a Keras model, and this source is none that can be trained"
