"""A JSON report back to the rows that it was written from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.report.base import Run, from_plain
from pytest_edgebudget.report.json import SCHEMA_VERSION


def read_report(path: Path) -> Run:
    """
    The run that the JSON report at *path* tells of.

    Raises `ModelError` for a file that is none, or is of another version.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}", _NEXT) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not JSON ({error})", _NEXT) from error
    if not isinstance(data, Mapping) or "schema" not in data:
        raise ModelError(f"{path}: not a report of pytest-edgebudget", _NEXT)
    if data["schema"] != SCHEMA_VERSION:
        raise ModelError(
            f"{path}: a report of version {data['schema']}, this is version {SCHEMA_VERSION}", _NEXT
        )
    try:
        return _run(data)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ModelError(f"{path}: not a whole report ({error})", _NEXT) from error


_NEXT = "--edge-budget-report json:PATH writes one"


def _run(data: Mapping[str, Any]) -> Run:
    models = [{"artifact": "", **row} for row in data["models"]]  # its place in a cache is left out
    return from_plain(Run, {**data, "models": models, "version": str(data["tool"]["version"])})
