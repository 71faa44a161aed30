"""A metric of the user's own: a function of outputs, labels and inputs."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError, ModelError
from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.jobs import JSON, run
from pytest_edgebudget.jobs.resolve import resolve
from pytest_edgebudget.metrics.base import RUN, Metric, Options, Value
from pytest_edgebudget.types import OwnMetric, Unit

TIMEOUT = 600.0
"""Seconds that a user's function may take."""

ROLES = ("outputs", "labels", "inputs")


def own_metric(own: OwnMetric, root: Path) -> Metric:
    """Return the metric that calls the user's function; modules are looked for in *root*."""
    return Metric(
        name=own.name,
        unit=Unit.NUMBER,
        better=own.better,
        needs=Predictions,
        read=_Own(own, root),
        accepts=RUN,
        droppable=True,
        cacheable=False,
        identity=str(own.function),
    )


@dataclass(frozen=True, slots=True)
class _Own:
    """
    A function of yours: ``function(outputs, labels, inputs) -> float``.

    Each argument is an array whose first axis is the samples, or a dict of
    arrays by name where the model has several outputs or inputs; *labels* is
    None without labels. Outputs are floats, of quantized models too. The
    function runs in a process of its own, with pytest's root folder first on
    the path, and returns one finite number. It has no interval.
    """

    own: OwnMetric
    root: Path

    def __call__(self, predictions: Predictions, options: Options) -> Value:
        """Run the function; raises `ModelError` if it fails or returns no number."""
        purpose = f"computing the metric {self.own.name} with {self.own.function}"
        with tempfile.TemporaryDirectory(prefix="edgebudget-") as folder:
            path = Path(folder) / "predictions.npz"
            payload = {"function": str(self.own.function), "arrays": str(path)}
            names = _save(predictions, path)
            try:
                value = run(
                    f"{__name__}:call",
                    {**payload, "names": names},
                    root=self.root,
                    timeout=TIMEOUT,
                    purpose=purpose,
                )
            except BuildError as error:
                # The candidate is fine: trying another one would not help.
                raise ModelError(
                    error.message, error.hint or "it is called as function(outputs, labels, inputs)"
                ) from None
        assert isinstance(value, float)
        return Value(value)


def _save(predictions: Predictions, path: Path) -> dict[str, JSON]:
    """Write all arrays to *path* under numbers; return their names by role."""
    import numpy as np

    groups = (predictions.outputs, predictions.labels, predictions.inputs)
    arrays = {
        f"{role}_{number}": array
        for role, group in zip(ROLES, groups, strict=True)
        for number, array in enumerate(group.values())
    }
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return {role: list(group) for role, group in zip(ROLES, groups, strict=True)}


def call(payload: Mapping[str, Any]) -> float:
    """In the child process: load the arrays, call the function, check its number."""
    import numpy as np

    with np.load(payload["arrays"], allow_pickle=False) as file:
        arguments = [
            _argument([file[f"{role}_{number}"] for number in range(len(names))], names)
            for role, names in ((role, payload["names"][role]) for role in ROLES)
        ]
    return _number(resolve(payload["function"])(*arguments), payload["function"])


def _argument(arrays: list[Array], names: list[str]) -> Array | dict[str, Array] | None:
    if not arrays:
        return None
    return arrays[0] if len(arrays) == 1 else dict(zip(names, arrays, strict=True))


def _number(result: Any, function: str) -> float:
    import numpy as np

    hint = "an own metric returns one number, such as float(errors.mean())"
    plain = np.asarray(result)
    if plain.size != 1 or plain.dtype.kind not in "iuf":
        what = f"an array of shape {plain.shape}" if plain.ndim else type(result).__name__
        raise ModelError(f"{function} returned {what}, not a number", hint)
    value = float(plain.item())
    if not math.isfinite(value):
        raise ModelError(f"{function} returned {value}, not a finite number", hint)
    return value
