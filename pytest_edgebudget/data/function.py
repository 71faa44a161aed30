"""A user's data function, called in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.jobs.resolve import resolve


def save(payload: dict[str, str]) -> str:
    """Call the function; return the path of the ``.npz`` that holds its arrays."""
    name = payload["function"]
    result = resolve(name)()
    if isinstance(result, str | Path):
        return str(Path(payload["root"], result))
    if not isinstance(result, Mapping):
        raise BuildError(
            f"{name} returned {type(result).__name__}",
            "a data function returns a mapping of names to arrays, or the path of an .npz file",
        )
    return _save(name, result, payload["out"])


def _save(name: str, arrays: Mapping[str, Any], out: str) -> str:
    import numpy as np

    plain = {key: np.asarray(value) for key, value in arrays.items()}
    for key, array in plain.items():
        if array.dtype.hasobject:
            raise BuildError(
                f"{name} returned Python objects as {key}", "an array has one plain dtype"
            )
    np.savez(out, **plain)
    return out
