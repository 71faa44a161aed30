"""From arrays of a data file to what a model's inputs take, and back."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence

import numpy as np

from .refusal import Refusal
from .runtimes.base import Array, Port, default_shape


def read_inputs(path: str, split: str, inputs: Sequence[Port]) -> list[Array]:
    """
    The arrays of *split* for *inputs*, first axis samples, in the model's order.

    They are named ``x_test`` where the model has one input, else
    ``x_test/NAME`` with the signature's or the graph's name.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = [_array(data, split, port, alone=len(inputs) == 1) for port in inputs]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise Refusal("data", f"the data file cannot be read: {error}") from error
    if len({len(array) for array in arrays}) > 1:
        lengths = ", ".join(str(len(array)) for array in arrays)
        raise Refusal("data", f"the inputs have different numbers of samples: {lengths}")
    return arrays


def _array(data: np.lib.npyio.NpzFile, split: str, port: Port, *, alone: bool) -> Array:
    names = [f"x_{split}/{port.name}", f"x_{split}/{port.tensor}"]
    names += [f"x_{split}"] if alone else []
    for name in names:
        if name in data.files:
            array: Array = data[name]
            if array.ndim == 0:
                raise Refusal("data", f"{name} is one number, not an array of samples")
            return array
    found = ", ".join(name for name in data.files if name.startswith("x_")) or "no x array"
    raise Refusal(
        "data",
        f"the data has no {names[-1]} for the input {port.name!r}",
        f"it has {found}",
    )


def to_input(sample: Array, port: Port) -> Array:
    """One sample as *port* takes it: dtype first, then shape, with a batch axis of 1."""
    return _with_shape(_with_dtype(np.asarray(sample), port), port)


def _with_dtype(sample: Array, port: Port) -> Array:
    """
    Convert to the input's dtype.

    The same dtype passes as it is. Anything else holds real values: an
    integer input with a scale gets them quantized, rounded half to even and
    clipped; a float input gets them cast.
    """
    dtype = np.dtype(port.dtype)
    if sample.dtype == dtype:
        return sample
    if sample.dtype.kind not in "biuf":
        raise Refusal("data", f"{port.name!r} takes {dtype}, the data holds {sample.dtype}")
    if dtype.kind in "iu" and port.scale > 0:
        return _quantize(sample, port)
    cast: Array = sample.astype(dtype)
    if dtype.kind in "iu" and not np.array_equal(cast, sample):
        raise Refusal(
            "data",
            f"{port.name!r} takes {dtype} without a scale, and the {sample.dtype} data "
            "holds values that it cannot represent",
        )
    return cast


def _quantize(sample: Array, port: Port) -> Array:
    limits = np.iinfo(port.dtype)
    steps = np.rint(sample.astype(np.float64) / port.scale) + port.zero_point
    quantized: Array = np.clip(steps, limits.min, limits.max).astype(port.dtype)
    return quantized


def _with_shape(sample: Array, port: Port) -> Array:
    shape = default_shape(port.shape)
    if sample.size == int(np.prod(shape)) and same_order(sample.shape, shape):
        return sample.reshape(shape)
    for candidate in ((1, *sample.shape), sample.shape):
        if _fits(candidate, port.shape):
            return sample.reshape(candidate)
    raise Refusal(
        "data",
        f"a sample of shape {_text(sample.shape)} does not fit the input "
        f"{port.name!r} of shape {_text(port.shape)}",
    )


def same_order(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """
    Whether an array of one shape is one of the other without its elements being moved.

    Axes of 1 come and go, and one flat axis may stand for all; 3x32x32 for 32x32x3
    is an image that was not transposed, and would be read as noise.
    """
    lengths = [[n for n in each if n != 1] for each in (shape, other)]
    return lengths[0] == lengths[1] or min(map(len, lengths)) <= 1


def _fits(shape: tuple[int, ...], free: tuple[int, ...]) -> bool:
    same_rank = len(shape) == len(free)
    return same_rank and all(n in (-1, shape[axis]) for axis, n in enumerate(free))


def _text(shape: tuple[int, ...]) -> str:
    return "x".join("?" if n < 0 else str(n) for n in shape) or "()"


def from_outputs(values: Sequence[Array], port: Port) -> Array:
    """
    Outputs of all samples in one array, first axis samples, as real values.

    A leading axis of 1 is the batch, and goes; quantized values are
    dequantized to float32; other integers stay as they are.
    """
    if len({value.shape for value in values}) > 1:
        raise Refusal("model", f"the output {port.name!r} changes its shape between samples")
    stacked = np.stack(values)
    if stacked.ndim > 1 and stacked.shape[1] == 1:
        stacked = stacked[:, 0]
    if port.scale <= 0:
        return stacked
    real: Array = (stacked.astype(np.float32) - port.zero_point) * np.float32(port.scale)
    return real.astype(np.float32)


def spread(array: Array, count: int | None) -> Array:
    """*count* samples evenly over *array*, whose order may be by class."""
    return array if count is None else array[:: max(1, len(array) // count)][:count]
