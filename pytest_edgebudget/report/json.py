"""The JSON report: versioned, with a committed schema, for other programs."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from pytest_edgebudget.report.base import ModelRow, Report, Run

SCHEMA_VERSION = 1

LEFT_OUT = frozenset(("ModelRow", name) for name in ("artifact", "source", "data", "recipes"))
"""Paths, in the cache for one, mean nothing on another machine."""


def render(run: Run) -> str:
    """
    Everything that the run found.

    Numbers are in SI units (bytes, seconds, joules, fractions). Infrastructure
    errors are apart from limits. ``report/schema.json`` describes it.
    """
    data: dict[str, Any] = {
        "schema": SCHEMA_VERSION,
        "tool": {"name": "pytest-edgebudget", "version": run.version},
        "files": [asdict(row) for row in run.files],
        "models": [_model(row) for row in run.models],
        "limits": [asdict(row) for row in run.limits],
        "lints": [asdict(row) for row in run.lints],
        "errors": [asdict(row) for row in run.errors],
    }
    return json.dumps(_finite(data), indent=2, allow_nan=False) + "\n"


def _model(row: ModelRow) -> dict[str, Any]:
    plain = asdict(row)
    return {name: plain[name] for name in plain if ("ModelRow", name) not in LEFT_OUT}


def _finite(value: Any) -> Any:
    """An error that a model's infinite output makes infinite is null in JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


REPORT = Report(name="json", render=render)
