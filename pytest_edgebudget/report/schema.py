"""
The JSON Schema of the JSON report, generated from the rows.

``python -m pytest_edgebudget.report.schema`` writes ``schema.json``.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from pytest_edgebudget.report.base import ErrorRow, FileRow, LimitRow, LintRow, ModelRow
from pytest_edgebudget.report.json import LEFT_OUT, SCHEMA_VERSION

FILE = Path(__file__).with_name("schema.json")
NAMES: dict[type, str | list[str]] = {
    str: "string",
    int: "integer",
    float: ["number", "null"],  # null: not finite
    bool: "boolean",
}


def schema() -> dict[str, Any]:
    """The schema of version `SCHEMA_VERSION`, draft 2020-12."""
    definitions: dict[str, Any] = {}
    parts = {
        "files": FileRow,
        "models": ModelRow,
        "limits": LimitRow,
        "lints": LintRow,
        "errors": ErrorRow,
    }
    properties: dict[str, Any] = {
        "schema": {"const": SCHEMA_VERSION},
        "tool": _object({"name": {"type": "string"}, "version": {"type": "string"}}),
    }
    for name, row in parts.items():
        properties[name] = {"type": "array", "items": _reference(row, definitions)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pytest-edgebudget report",
        "description": "Numbers are in SI units: bytes, seconds, joules, fractions.",
        **_object(properties),
        "$defs": definitions,
    }


def render() -> str:
    """The text of ``schema.json``."""
    return json.dumps(schema(), indent=2) + "\n"


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _reference(row: type, definitions: dict[str, Any]) -> dict[str, str]:
    if row.__name__ not in definitions:
        definitions[row.__name__] = {}
        hints = get_type_hints(row)
        names = [field.name for field in fields(row) if (row.__name__, field.name) not in LEFT_OUT]
        described = {name: _type(hints[name], definitions) for name in names}
        definition = {"description": inspect.getdoc(row), **_object(described)}
        definitions[row.__name__] = definition
    return {"$ref": f"#/$defs/{row.__name__}"}


def _type(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    arguments = [arg for arg in get_args(hint) if arg is not type(None)]
    if type(None) in get_args(hint):
        return {"anyOf": [_type(arguments[0], definitions), {"type": "null"}]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _type(arguments[0], definitions)}
    if get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": _type(arguments[1], definitions)}
    if is_dataclass(hint):
        return dict(_reference(hint, definitions))  # type: ignore[arg-type]
    return {"type": NAMES[hint]}


if __name__ == "__main__":
    FILE.write_text(render(), "utf-8")
