"""Calibration samples, in the form that the model's inputs want."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.passes._arguments import Argument
from pytest_edgebudget.passes._ranges import CHOICES
from pytest_edgebudget.passes.base import Parameter
from pytest_edgebudget.types import Step

SAMPLES = 200
"""So many calibration samples, the first ones, unless a step names another number."""

USUAL = "usual"
PARAMETERS = (
    Parameter(
        name="calibration",
        type=str,
        help="of the activations' ranges: minmax, percentile, entropy or mse; usual: minmax in"
        " .onnx, in .tflite a moving average of the samples' extremes",
        default=USUAL,
    ),
    Parameter(
        name="percentile",
        type=float,
        help="with calibration=percentile: so many per cent of the values are not cut off",
        default=99.9,
        minimum=50.0,
        maximum=100.0,
    ),
    Parameter(
        name="samples",
        type=int,
        help="so many of the calibration samples, the first ones",
        default=SAMPLES,
        minimum=1,
    ),
)
"""What a pass that calibrates may be told of it."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How ranges are found: *method* is a key of `CHOICES`, or "usual"."""

    method: str = USUAL
    percentile: float = 99.9
    samples: int = SAMPLES

    @property
    def usual(self) -> bool:
        """Whether the library finds the ranges by itself."""
        return self.method == USUAL


def calibration_of(step: Step, given: Mapping[str, Argument]) -> Calibration:
    """
    How *step* with the arguments *given* calibrates.

    Raises:
        BuildError: there is no such way.
    """
    method = str(given["calibration"])
    if method not in (USUAL, *CHOICES):
        raise BuildError(f"{step}: calibration is one of {', '.join((USUAL, *CHOICES))}")
    return Calibration(method, float(given["percentile"]), int(given["samples"]))


ONLY = "x"
"""The key of the only input's array in the calibration file."""


@dataclass(frozen=True, slots=True)
class Input:
    """An input of the model: its *names*, the first the one to feed it by."""

    names: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: Any


def samples(
    path: Path | None, inputs: Sequence[Input], count: int = SAMPLES
) -> Iterator[dict[str, Array]]:
    """
    Yield one dict of arrays for each of the first *count* samples, as the inputs want them.

    Integers for a float input are cast; an unknown dimension is 1. Axes of 1 may
    be left out, and one flat axis stands for all.

    Raises:
        BuildError: the arrays do not fit the inputs, hold NaN, or are fewer than a
            *count* that was asked for.
    """
    import numpy as np

    if path is None:
        raise BuildError("there is no calibration data", "add x_calibration to the data")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    fitting = [(item, _array_of(item, arrays, len(inputs))) for item in inputs]
    there = min(len(array) for _, array in fitting)
    if there < count and count > SAMPLES:
        raise BuildError(f"{count} calibration samples are asked for, there are {there}")
    _refuse_nan(fitting, count)
    for index in range(min(there, count)):
        yield {item.names[0]: _fit(item, array[index]) for item, array in fitting}


def _refuse_nan(fitting: Sequence[tuple[Input, Array]], count: int) -> None:
    import numpy as np

    for item, array in fitting:
        first = array[:count]
        if first.dtype.kind == "f" and not (fine := np.isfinite(first)).all():
            wrong = int((~fine.reshape(len(first), -1).all(axis=1)).sum())
            raise BuildError(
                f"{wrong} of {len(first)} calibration samples of {item.names[0]} hold NaN or"
                " infinity",
                "remove or repair them: they would be the range of every activation",
            )


def _array_of(item: Input, arrays: Mapping[str, Array], count: int) -> Array:
    if count == 1 and len(arrays) == 1:
        return next(iter(arrays.values()))
    for name in item.names:
        if name in arrays:
            return arrays[name]
    found = ", ".join(arrays)
    raise BuildError(
        f"no calibration data for the input {item.names[0]} (there is {found})",
        f"name the array x_calibration/{item.names[0]}",
    )


def _fit(item: Input, sample: Array) -> Array:
    from pytest_edgebudget.worker.samples import same_order

    shape = tuple(1 if size < 0 else size for size in item.shape)
    count = 1
    for size in shape:
        count *= size
    if sample.size != count or not same_order(sample.shape, shape):
        raise BuildError(
            f"a calibration sample has shape {sample.shape}, the input {item.names[0]} {shape}"
        )
    return sample.reshape(shape).astype(item.dtype)
