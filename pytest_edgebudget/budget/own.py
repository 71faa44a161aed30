"""What a model's table says about the user's own metrics, and about waivers."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import date

from pytest_edgebudget.budget.mistakes import Mistakes, suggest
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.types import LINT, Better, FunctionRef, Limit, OwnMetric, Waiver


def function_ref(text: str) -> FunctionRef | None:
    """``package.module:function``, or None when *text* is something else."""
    module, colon, name = text.partition(":")
    parts = [*module.split("."), *name.split(".")]
    if colon and all(part.isidentifier() for part in parts):
        return FunctionRef(module, name)
    return None


def read_own_metrics(node: Node, taken: Container[str], mistakes: Mistakes) -> list[OwnMetric]:
    """The metrics at *node*; their names may not be *taken* by built-in ones."""
    return [_own_metric(name, child, taken, mistakes) for name, child in node.table.items()]


def read_waivers(node: Node, limits: Iterable[Limit], mistakes: Mistakes) -> list[Waiver]:
    """The waivers at *node*, each of one of *limits*."""
    names = {limit.name for limit in limits}
    waivers = []
    for name, waiver in node.table.items():
        if name not in names:
            message = f'there is no limit "{name}" to waive'
            mistakes.add(waiver.place, message, suggest(name, names))
        until = waiver.table.get("until", waiver).value
        if "reason" in waiver.table and isinstance(until, date):
            waivers.append(Waiver(name, waiver.table["reason"].text, until, waiver.place))
    return waivers


def _own_metric(name: str, node: Node, taken: Container[str], mistakes: Mistakes) -> OwnMetric:
    if name in taken:
        mistakes.add(node.place, f'"{name}" is the name of a built-in metric')
    if name == LINT:
        mistakes.add(node.place, f'"{name}" is the name of the linter\'s item', "choose another")
    function = node.table.get("function")
    reference = function_ref(function.text) if function else None
    if function and reference is None:
        message = f'"{function.text}" is not a function'
        mistakes.add(function.place, message, "write package.module:function")
    better = node.table["better"].text if "better" in node.table else Better.LOWER
    return OwnMetric(name, reference or FunctionRef("", ""), Better(better), node.place)
