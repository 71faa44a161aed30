"""The table ``[models.NAME.tune]``: what the pass of this name chooses."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_edgebudget.budget.grammar import Kind
from pytest_edgebudget.budget.mistakes import Mistakes, suggest
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.types import Dimension, FunctionRef, Recipe, Source

TUNE = "tune"
ENDS = ("low", "high", "log")
FUNCTION = 'path = "package.module:function" that builds the model'
EXAMPLE = "such as: [models.NAME.tune] with width = [8, 64]"


def read_space(
    table: Node | None, source: Source | None, mistakes: Mistakes
) -> tuple[Dimension, ...]:
    """What is chosen; empty without the table. What is wrong with it is noted."""
    if table is None:
        return ()
    if source is not None and not isinstance(source, FunctionRef):
        mistakes.add(table.place, "a model in a file cannot be built in other ways", FUNCTION)
    if not table.table:
        mistakes.add(table.place, "there is nothing to choose", EXAMPLE)
    found = (_dimension(name, node, mistakes) for name, node in table.table.items())
    return tuple(each for each in found if each is not None)


def check_tuned(
    node: Node | None,
    recipes: Iterable[Recipe],
    table: Node | None,
    source: Source | None,
    mistakes: Mistakes,
) -> None:
    """Note a recipe that tunes where there is nothing to choose from."""
    if node is None or not any(step.name == TUNE for each in recipes for step in each.steps):
        return
    if source is not None and not isinstance(source, FunctionRef):
        mistakes.add(node.place, f'"{TUNE}" needs a function, not a file', FUNCTION)
    elif table is None:
        mistakes.add(node.place, f'"{TUNE}" needs to know what to choose', EXAMPLE)


def _dimension(name: str, node: Node, mistakes: Mistakes) -> Dimension | None:
    if node.table:
        return _ends(name, node, mistakes)
    if not isinstance(node.value, tuple):
        mistakes.add(node.place, f"must be {Kind.SPACE}", "such as: [8, 64]")
        return None
    values = [each.value for each in node.elements]
    if any(not isinstance(value, int | float | str | bool) for value in values):
        mistakes.add(node.place, "a choice is a number, a word, or true or false")
        return None
    if len(values) < 2:
        mistakes.add(node.place, "one value is no choice", "such as: [8, 64]")
        return None
    if len(values) == 2 and all(map(_is_number, values)):
        low, high = values
        return _range(name, low, high, False, node, mistakes)
    return Dimension(name=name, choices=tuple(_plain(value) for value in values))


def _ends(name: str, node: Node, mistakes: Mistakes) -> Dimension | None:
    for key, child in node.table.items():
        if key not in ENDS:
            mistakes.add(child.place, f'unknown key "{key}"', suggest(key, ENDS))
            return None
    low, high = (node.table[key].value if key in node.table else None for key in ENDS[:2])
    if not (_is_number(low) and _is_number(high)):
        mistakes.add(node.place, "low and high are numbers", "such as: {low = 1e-4, high = 1e-2}")
        return None
    log = "log" in node.table and node.table["log"].value is True
    return _range(name, low, high, log, node, mistakes)


def _range(
    name: str, low: object, high: object, log: bool, node: Node, mistakes: Mistakes
) -> Dimension | None:
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    if not float("-inf") < low < high < float("inf"):
        mistakes.add(node.place, f"{low} is not below {high}", "such as: [8, 64]")
        return None
    if log and low <= 0:
        mistakes.add(node.place, f"a logarithmic scale begins above 0, not at {low}")
        return None
    return Dimension(name=name, low=low, high=high, log=log)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: object) -> float | int | str | bool:
    assert isinstance(value, int | float | str | bool)
    return value
