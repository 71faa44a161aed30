"""Artifacts, data and wanted readings for the tests of measuring."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pytest_edgebudget.data import DataFile, load_data
from pytest_edgebudget.devices import Device
from pytest_edgebudget.measure import Wanted, measure
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, Measurement, Recipe, Step

NONE = Recipe((Step("none"),))


def artifact(path: Path) -> Artifact:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Artifact(recipe=NONE, path=path, sha256=digest, size=len(content))


def data_file(path: Path, store: Store, **arrays: Any) -> DataFile:
    import numpy as np

    np.savez(path, **arrays)
    return load_data(path, root=path.parent, store=store)


def wanted(*metrics: Metric, **options: float | int | str) -> list[Wanted]:
    slices = options.get("slices")
    suffix = f"[{slices}]" if slices else ""
    return [Wanted(m.name + suffix, m, {**m.defaults(), **options}) for m in metrics]


def read(
    model: Artifact, readings: list[Wanted], device: Device, store: Store, **more: Any
) -> Measurement:
    settings: dict[str, Any] = {"data": None, "split": "test", "source": None, "state": "reset"}
    return measure(
        model, readings, device=device, store=store, root=model.path.parent, **{**settings, **more}
    )
