"""Whether a tree has the shape that the grammar gives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from pytest_edgebudget.budget.grammar import FREE, NAME, Key, Kind, children
from pytest_edgebudget.budget.mistakes import Mistakes, suggest
from pytest_edgebudget.budget.tree import Node


def checked_table(node: Node, path: str, mistakes: Mistakes, more: Sequence[Key] = ()) -> Node:
    """
    *node* with only what fits the grammar of the table at *path*, plus keys of *more*.

    Whatever does not fit is noted and left out: who reads on need not ask again.
    """
    known = children(path) | {key.name: key for key in more}
    free = next((known[word] for word in FREE if word in known), None)
    kept = {}
    for name, child in node.table.items():
        key = known.get(name, free)
        if key is None:
            mistakes.add(child.place, f'unknown key "{name}"', suggest(name, known))
        elif _named(child, name, key, mistakes) and (fit := _checked(child, key, mistakes)):
            kept[name] = fit
    for key in known.values():
        if key.required and key.name not in node.table:
            mistakes.add(node.place, f'the key "{key.name}" is missing', _write(key))
    return Node(kept, node.place)


def _named(node: Node, name: str, key: Key, mistakes: Mistakes) -> bool:
    if key.name != "NAME" or NAME.fullmatch(name):
        return True
    mistakes.add(
        node.place,
        f'"{name}" is not a name',
        "a name has letters, digits, _ . - and starts with none of . -",
    )
    return False


def _checked(node: Node, key: Key, mistakes: Mistakes) -> Node | None:
    if not _FITS[key.kind](node, key):
        if key.kind is Kind.CHOICE:
            words = " or ".join(f'"{word}"' for word in key.choices)
            mistakes.add(node.place, f"must be {words}")
        else:
            mistakes.add(node.place, f"must be {key.kind}", _write(key))
        return None
    return checked_table(node, key.path, mistakes) if key.kind is Kind.TABLE else node


def _write(key: Key) -> str:
    return f"such as: {key.name} = {key.example}" if key.example else ""


def _text(node: Node, key: Key) -> bool:
    return bool(node.text.strip())


def _texts(node: Node, key: Key) -> bool:
    return isinstance(node.value, tuple) and all(_text(element, key) for element in node.elements)


def _number(node: Node, key: Key) -> bool:
    return isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _quantity(node: Node, key: Key) -> bool:
    return isinstance(node.value, str) or _number(node, key)


_FITS: dict[Kind, Callable[[Node, Key], bool]] = {
    Kind.TABLE: lambda node, key: isinstance(node.value, dict),
    Kind.TEXT: _text,
    Kind.TEXTS: _texts,
    Kind.ONE_OR_MORE: lambda node, key: _text(node, key) or _texts(node, key),
    Kind.CHOICE: lambda node, key: node.text in key.choices,
    Kind.BOOLEAN: lambda node, key: isinstance(node.value, bool),
    Kind.INTEGER: lambda node, key: _number(node, key) and isinstance(node.value, int),
    Kind.NUMBER: _number,
    Kind.DATE: lambda node, key: (
        isinstance(node.value, date) and not isinstance(node.value, datetime)
    ),
    Kind.BOUND: _quantity,
    Kind.TOLERANCE: _quantity,
    Kind.PROBABILITY: _quantity,
    Kind.SPACE: lambda node, key: True,  # tune_table says what is wrong with it
    Kind.LIMIT: lambda node, key: _quantity(node, key) or isinstance(node.value, dict),
}
