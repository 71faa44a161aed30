"""
The JSON Schema of budget files, for editors: generated from `grammar`.

``python -m pytest_edgebudget.budget.schema`` writes ``schema.json`` anew; a
test fails when it is stale. The schema knows what is built in and leaves room
for metrics and passes of one's own.
"""

from __future__ import annotations

import json
from pathlib import Path

from pytest_edgebudget.budget.fit_table import FIT
from pytest_edgebudget.budget.grammar import NAME, Key, Kind, children
from pytest_edgebudget.budget.later import METRICS
from pytest_edgebudget.budget.limit_schema import definitions, reference
from pytest_edgebudget.budget.shapes import Json, shape
from pytest_edgebudget.devices.ways import ADDRESSES, WAYS
from pytest_edgebudget.registry import Registry

FILE = Path(__file__).with_name("schema.json")
_RECIPE = r"^[A-Za-z_]\w*(\([^()]*\))?(\s*\+\s*[A-Za-z_]\w*(\([^()]*\))?)*$"


def schema(registry: Registry) -> dict[str, Json]:
    """The schema (draft 2020-12) of files that name what *registry* holds."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pytest-edgebudget budget file",
        "description": "What each model may cost on one device.",
        **_table("", registry),
        "$defs": definitions(registry.metrics),
    }


def text(registry: Registry) -> str:
    """The content of the schema's file."""
    return json.dumps(schema(registry), indent=1, ensure_ascii=True) + "\n"


def _table(path: str, registry: Registry) -> dict[str, Json]:
    known = children(path)
    table: dict[str, Json] = {"type": "object"}
    fixed = {name: key for name, key in known.items() if name not in ("NAME", "METRIC")}
    if fixed:
        table["properties"] = {name: _key(key, registry) for name, key in fixed.items()}
    # A model may get its path from the file that it extends.
    required: list[Json] = [key.name for key in fixed.values() if key.required]
    if required and path != "models.NAME":
        table["required"] = required
    if "NAME" in known:
        named = _key(known["NAME"], registry)
        table["patternProperties"] = {f"^{NAME.pattern}$": named}
    return table | _metrics(path, registry) | {"additionalProperties": _others(path, registry)}


def _metrics(path: str, registry: Registry) -> dict[str, Json]:
    """The limits of a budget table, each in its metric's unit."""
    if not path.endswith(".budget"):
        return {}
    joint = path.startswith("groups")
    names = [name for name, metric in registry.metrics.items() if metric.additive or not joint]
    known: dict[str, Json] = {name: reference(name, joint=joint) for name in names}
    later: dict[str, Json] = dict.fromkeys(sorted(METRICS - set(names)), False)
    return {"properties": known | later}


def _others(path: str, registry: Registry) -> Json:
    """What keys of any other name are: limits of own metrics, waivers, or not allowed."""
    if path == "models.NAME.budget":
        return reference("own", joint=False)
    key = children(path).get("METRIC")
    return _key(key, registry) if key and key.kind is Kind.TABLE else False


def _key(key: Key, registry: Registry) -> dict[str, Json]:
    described: dict[str, Json] = {"description": key.help}
    if key.default in key.choices:
        described["default"] = key.default
    special = _special(key, registry)
    if key.kind is Kind.TABLE:
        return described | _table(key.path, registry)
    return described | (special or shape(key))


def _special(key: Key, registry: Registry) -> dict[str, Json]:
    """Keys whose words come from the registry."""
    if key.path == "models.NAME.optimize":
        one = _recipe(registry)
        listed: dict[str, Json] = {"type": "array", "items": one, "uniqueItems": True}
        return {"anyOf": [{"const": FIT}, one, listed]}
    if key.path == "device.profile":
        path: Json = {"type": "string", "pattern": r"\.toml$|/"}
        return {"anyOf": [{"enum": [*registry.profiles]}, path]}
    if key.path == "device.run":
        names = "|".join(name for name in [*WAYS, *registry.ways] if name not in ADDRESSES)
        addresses = "|".join(sorted(ADDRESSES))
        pattern = f"^({names})$" + (f"|^({addresses})://.+$" if addresses else "")
        return {"type": "string", "pattern": pattern}
    if key.path == "device.threads":
        return {"type": "integer", "minimum": 1}
    return {}


def _recipe(registry: Registry) -> Json:
    plain: list[Json] = [
        name
        for name, each in registry.passes.items()
        if all(parameter.default is not None for parameter in each.parameters)
    ]
    return {
        "anyOf": [{"enum": plain}, {"type": "string", "pattern": _RECIPE}],
        "not": {"const": FIT},
    }


def built_in() -> Registry:
    """The registry without anything of a project's own."""
    from pytest_edgebudget.devices import profiles
    from pytest_edgebudget.metrics import BUILT_IN as METRICS
    from pytest_edgebudget.passes import BUILT_IN as PASSES

    return Registry(
        metrics={metric.name: metric for metric in METRICS},
        passes={each.name: each for each in PASSES},
        profiles=profiles(),
    )


if __name__ == "__main__":
    FILE.write_text(text(built_in()), encoding="utf-8")
