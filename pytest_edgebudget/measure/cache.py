"""Readings that are the same at every run, kept in the store."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pytest_edgebudget.measure.keys import cache_key
from pytest_edgebudget.measure.subject import Subject
from pytest_edgebudget.measure.wanted import Wanted
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Drop, Evidence, Layer, Reading

KIND = "reading"


def cached(wanted: Wanted, subject: Subject, store: Store) -> Reading | None:
    """The reading of an earlier run, or None."""
    key = cache_key(wanted, subject)
    record = store.record(KIND, key) if key is not None else None
    return _reading(record) if isinstance(record, dict) else None


def keep(reading: Reading, wanted: Wanted, subject: Subject, store: Store) -> None:
    """Keep *reading* for later runs, when it will be the same."""
    key = cache_key(wanted, subject)
    if key is not None:
        store.write_record(KIND, key, _record(reading))


def _record(reading: Reading) -> dict[str, Any]:
    return {
        "metric": reading.metric,
        "value": reading.value,
        "low": reading.low,
        "high": reading.high,
        "evidence": reading.evidence.value,
        "noisy": reading.noisy,
        "key": [list(pair) for pair in reading.key],
        "note": reading.note,
        "shared": reading.shared,
        "drop": asdict(reading.drop) if reading.drop else None,
        "layers": [[layer.name, layer.kind, layer.value] for layer in reading.layers],
    }


def _reading(record: dict[str, Any]) -> Reading:
    return Reading(
        metric=record["metric"],
        value=record["value"],
        low=record["low"],
        high=record["high"],
        evidence=Evidence(record["evidence"]),
        noisy=record["noisy"],
        key=tuple((name, value) for name, value in record["key"]),
        note=record["note"],
        layers=tuple(Layer(name, kind, value) for name, kind, value in record["layers"]),
        shared=record["shared"],
        drop=_drop(record["drop"]),
    )


def _drop(record: dict[str, Any] | None) -> Drop | None:
    if record is None:
        return None
    places = {name: tuple(record[name]) for name in ("worse_at", "better_at")}
    return Drop(**{**record, **places})
