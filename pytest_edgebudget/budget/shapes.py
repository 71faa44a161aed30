"""JSON Schemas of single values, by kind and by unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from pytest_edgebudget.budget.grammar import Key, Kind
from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import suffixes

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json]"

TEXT: dict[str, Json] = {"type": "string", "pattern": r"\S"}
_NUMBER = r"^\s*\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*"


def shape(key: Key) -> dict[str, Json]:
    """A value's schema as far as its kind says."""
    words: list[Json] = [*key.choices]
    texts: dict[str, Json] = {"type": "array", "items": TEXT, "minItems": 1}
    if words and key.kind is Kind.TEXTS:
        return {"type": "array", "items": {"enum": words}, "minItems": 1, "uniqueItems": True}
    shapes: Mapping[Kind, dict[str, Json]] = {
        Kind.TEXT: TEXT,
        Kind.TEXTS: texts,
        Kind.ONE_OR_MORE: {"anyOf": [TEXT, texts]},
        Kind.CHOICE: {"enum": words},
        Kind.BOOLEAN: {"type": "boolean"},
        Kind.INTEGER: {"type": "integer"},
        Kind.NUMBER: {"type": "number"},
        Kind.SPACE: _space(),
        Kind.DATE: {"type": "string", "format": "date"},
        Kind.TOLERANCE: {"$ref": "#/$defs/percent"},
        Kind.PROBABILITY: {"$ref": "#/$defs/probability"},
    }
    return shapes[key.kind]


def _space() -> dict[str, Json]:
    """A range, choices, or a table of both ends."""
    number: Json = {"type": "number"}
    value: Json = {"type": ["number", "string", "boolean"]}
    listed: Json = {"type": "array", "items": value, "minItems": 2}
    ends: Json = {
        "type": "object",
        "properties": {"low": number, "high": number, "log": {"type": "boolean"}},
        "required": ["low", "high"],
        "additionalProperties": False,
    }
    return {"anyOf": [listed, ends]}


def quantity(unit: Unit) -> dict[str, Json]:
    """A bound of a metric in *unit*, as `units.parse` reads it."""
    words = f"({'|'.join(suffixes(unit))})"
    written: dict[str, Json] = {"type": "string", "pattern": rf"{_NUMBER}{words}\s*$"}
    if unit is Unit.NUMBER:
        return {"type": "number"}
    if unit is Unit.FRACTION:
        return {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, written]}
    if unit is Unit.COUNT:
        return {"anyOf": [{"type": "integer", "minimum": 0}, written]}
    return written


def tolerance(unit: Unit) -> dict[str, Json]:
    """A change of a metric in *unit*, as `units.parse_tolerance` reads it."""
    points: dict[str, Json] = {"type": "string", "pattern": rf"{_NUMBER}pp\s*$"}
    absolute = points if unit is Unit.FRACTION else quantity(unit)
    return {"anyOf": [percent(), absolute]}


def percent() -> dict[str, Json]:
    """A relative tolerance."""
    return {"type": "string", "pattern": rf"{_NUMBER}%\s*$"}


def probability() -> dict[str, Json]:
    """A confidence."""
    number: Json = {"type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 1}
    return {"anyOf": [number, percent()]}
