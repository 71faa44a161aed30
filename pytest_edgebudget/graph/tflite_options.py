"""The options of builtin ops as plain values, under the schema's own names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from pytest_edgebudget.graph.flatbuffer import Table
from pytest_edgebudget.graph.tflite_schema import ENUMS, TABLES


class Field(NamedTuple):
    """A field of a table; *code* is a struct code, ``str`` or ``table``."""

    slot: int
    name: str
    code: str
    vector: bool
    enum: str
    default: int


@cache
def layout(table: str) -> tuple[Field, ...]:
    """The fields of *table* that are in use."""
    words = enumerate(TABLES.get(table, "").split())
    return tuple(_field(slot, word) for slot, word in words if word != "-")


@cache
def slots(table: str) -> Mapping[str, int]:
    """Slot by field name."""
    return {field.name: field.slot for field in layout(table)}


def read_options(name: str, table: Table) -> dict[str, object]:
    """All fields of an options table, defaults included."""
    return {field.name: _value(field, table) for field in layout(name)}


@cache
def _names(enum: str) -> tuple[str, ...]:
    return tuple(ENUMS[enum].split())


def _field(slot: int, word: str) -> Field:
    name, _, rest = word.partition(":")
    kind, _, default = rest.partition("=")
    code, _, enum = kind.strip("[]").partition("/")
    return Field(slot, name, code, kind.startswith("["), enum, int(default or 0))


def _value(field: Field, table: Table) -> object:
    if field.code == "str":
        return table.text(field.slot)
    if field.code == "B" and field.vector:
        view = table.view(field.slot)
        table.buffer.spend(len(view), table.position)
        return bytes(view)
    if field.vector:
        numbers = table.numbers(field.slot, field.code)
        return tuple(_name(field.enum, n) for n in numbers) if field.enum else numbers
    value = table.number(field.slot, field.code, field.default)
    return _name(field.enum, value) if field.enum else _plain(field.code, value)


def _plain(code: str, value: float) -> object:
    """A bool for a bool, a float for a float; NaN is kept as it is."""
    if code == "?":
        return bool(value)
    return float(value) if code in "fd" or not math.isfinite(value) else value


def _name(enum: str, value: float) -> str:
    names = _names(enum)
    return names[int(value)] if 0 <= value < len(names) else f"{enum}({value})"
