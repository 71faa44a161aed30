"""The arguments of a step, by the names of the pass's parameters."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes.base import Parameter
from pytest_edgebudget.types import Step

EXAMPLES = {float: "0.3", int: "32"}
"""An argument of each type, for a sentence about one that is missing."""

Argument = float | int | str | bool


def arguments(step: Step, parameters: Sequence[Parameter]) -> dict[str, Argument]:
    """
    Match *step*'s positional and named arguments with *parameters*.

    Raises:
        BuildError: a required argument is missing, or there are too many.
    """
    names = [parameter.name for parameter in parameters]
    if len(step.args) > len(names):
        raise BuildError(f"{step} has more arguments than {step.name} takes ({len(names)})")
    given = dict(zip(names, step.args, strict=False)) | dict(step.options)
    values = {
        parameter.name: given.get(parameter.name, parameter.default) for parameter in parameters
    }
    missing = [each for each in parameters if values[each.name] is None]
    if missing:
        example = EXAMPLES.get(missing[0].type, "...")
        raise BuildError(f"{step} lacks {missing[0].name}", f"such as {step.name}({example})")
    return {name: value for name, value in values.items() if value is not None}
