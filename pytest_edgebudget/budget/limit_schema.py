"""JSON Schemas of limits: one a metric, for each has its unit and its own keys."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_edgebudget.budget.grammar import Key, Kind, children
from pytest_edgebudget.budget.limits import option_key
from pytest_edgebudget.budget.shapes import (
    Json,
    percent,
    probability,
    quantity,
    shape,
    tolerance,
)
from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.types import Unit

_CHANGES = ("max_regression", "min_change", "anchor", "ratchet")


def definitions(metrics: Mapping[str, Metric]) -> dict[str, Json]:
    """The named schemas that the others refer to."""
    any_quantity: dict[str, Json] = {"type": ["number", "string"]}
    named: dict[str, Json] = {
        "percent": percent(),
        "probability": probability(),
        "any": any_quantity,
        "change_of_any": any_quantity,
    }
    for unit in Unit:
        named[unit.name.lower()] = quantity(unit)
        named[f"change_of_{unit.name.lower()}"] = tolerance(unit)
    for metric in metrics.values():
        named[f"limit_{metric.name}"] = _limit(metric, _keys(metric))
        if metric.additive:
            joint = [key for key in _keys(metric) if key.name not in ("min", *_CHANGES)]
            named[f"joint_{metric.name}"] = _limit(metric, joint)
    return named | {"limit_own": _own()}


def reference(name: str, *, joint: bool) -> dict[str, Json]:
    """The schema of the limit of the metric *name* (or "own"), alone or of a group."""
    return {"$ref": f"#/$defs/{'joint' if joint else 'limit'}_{name}"}


def _keys(metric: Metric) -> list[Key]:
    """The keys that the limit of *metric* may have."""
    without: set[str] = set()
    if not metric.droppable:
        without |= {"max_drop"}
    if metric.exact:
        without |= {"confidence", "evidence"}
    if metric.needs is not Predictions:
        without |= {"slices", "slices_max", "slices_min"}
    keys = [key for key in children("LIMIT").values() if key.name not in without]
    return keys + [option_key(option) for option in metric.options if option.name != "slices"]


def _limit(metric: Metric, keys: list[Key]) -> dict[str, Json]:
    unit = metric.unit.name.lower()
    table: dict[str, Json] = {
        "type": "object",
        "properties": {key.name: _value(key, unit) for key in keys},
        "additionalProperties": False,
    }
    definition = metric.doc.partition("\n\n")[0].replace("\n", " ")
    return {"description": definition, "anyOf": [{"$ref": f"#/$defs/{unit}"}, table]}


def _value(key: Key, unit: str) -> dict[str, Json]:
    described: dict[str, Json] = {"description": key.help}
    if key.kind is Kind.BOUND:
        return described | {"$ref": f"#/$defs/{unit}"}
    if key.kind is Kind.TOLERANCE:
        return described | {"$ref": f"#/$defs/change_of_{unit}"}
    return described | shape(key)


def _own() -> dict[str, Json]:
    """A limit of a metric of a project's own, whose unit and options are not known here."""
    table: dict[str, Json] = {
        "type": "object",
        "properties": {key.name: _value(key, "any") for key in children("LIMIT").values()},
    }
    bounds: list[Json] = [{"$ref": "#/$defs/any"}, table]
    return {"description": "A limit of a metric of your own.", "anyOf": bounds}
