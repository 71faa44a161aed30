"""Calibration samples, in the form that the model's inputs want."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array

ONLY = "x"
"""The key of the only input's array in the calibration file."""


@dataclass(frozen=True, slots=True)
class Input:
    """An input of the model: its *names*, the first the one to feed it by."""

    names: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: Any


def samples(path: Path | None, inputs: Sequence[Input]) -> Iterator[dict[str, Array]]:
    """
    Yield one dict of arrays a sample, each of its input's shape and dtype.

    Integers for a float input are cast; an unknown dimension is 1. Axes of 1 may
    be left out, and one flat axis stands for all.

    Raises:
        BuildError: the arrays do not fit the inputs.
    """
    import numpy as np

    if path is None:
        raise BuildError("there is no calibration data", "add x_calibration to the data")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    fitting = [(item, _array_of(item, arrays, len(inputs))) for item in inputs]
    for index in range(min(len(array) for _, array in fitting)):
        yield {item.names[0]: _fit(item, array[index]) for item, array in fitting}


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
