"""Dense layers and convolutions as products of two smaller ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.surgery.kinds import plain
from pytest_edgebudget.surgery.rebuild import Call, Layer, Model, again, calls, rebuild

Way = Literal["pointwise", "separated"]
"""The whole window to few channels and a 1x1 behind; or a column and then a row."""


WORTH = 0.01
"""A layer is split if that saves more than this share of the model's work or weights."""


@dataclass(frozen=True, slots=True)
class Split:
    """
    A layer's kernel as the product of two matrices, `first` @ `second`.

    *macs*, *weights*: multiply-accumulates and numbers in the kernel, before and after.
    """

    way: Way
    rank: int
    first: Array
    second: Array
    macs: tuple[int, int]
    weights: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Factored:
    """The factored model, what was split by the layer's name, and sentences for the user."""

    model: Model
    splits: Mapping[str, Split]
    notes: tuple[str, ...]


def factor(model: Model, energy: float) -> Factored:
    """
    Split each layer of a flat *model* whose two factors compute much less than it did.

    *energy*: 0..1, the share of the squared singular values that the factors keep.

    Raises:
        BuildError: no layer computes less as two.
    """
    _, found, _ = calls(model)
    best: dict[str, Split] = {}
    for call in found:
        layer = _layer(model, call)
        if layer is not None and layer.name not in best:
            best[layer.name] = _best(layer, call, energy)
    splits = {name: best[name] for name in _worth(best)}
    if not splits:
        raise BuildError(
            f"no layer computes less as two: {energy:g} of the energy needs nearly the whole rank",
            "keep less, such as low_rank(0.7); train after it",
        )
    notes = [_note(name, split) for name, split in splits.items()]
    return Factored(_rebuilt(model, splits), splits, tuple(notes))


def _worth(best: Mapping[str, Split]) -> list[str]:
    """Names of the layers that save enough, of work or of weights, and of neither lose."""
    work = sum(split.macs[0] for split in best.values())
    bulk = sum(split.weights[0] for split in best.values())
    saved = {
        name: (split.macs[0] - split.macs[1], split.weights[0] - split.weights[1])
        for name, split in best.items()
    }
    return [
        name
        for name, (macs, weights) in saved.items()
        if min(macs, weights) > 0 and (macs > WORTH * work or weights > WORTH * bulk)
    ]


def _note(name: str, split: Split) -> str:
    before, after = split.macs
    return f"{name}: rank {split.rank}, {after / before:.0%} of its multiply-accumulates"


def _layer(model: Model, call: Call) -> Layer | None:
    """The layer of *model* that is called, if its kernel is one matrix."""
    if call.kind not in ("Dense", "Conv1D", "Conv2D"):
        return None
    layer = model.get_layer(call.op.name)
    last = getattr(layer, "data_format", "channels_last") == "channels_last"
    whole = last and getattr(layer, "groups", 1) == 1 and plain(layer)
    return layer if whole else None


def _best(layer: Layer, call: Call, energy: float) -> Split:
    """The cheaper way to split; it may cost more than the whole layer."""
    kernel = np.asarray(layer.kernel)
    ways: list[Way] = ["pointwise"]
    if kernel.ndim == 4 and min(kernel.shape[:2]) > 1:
        ways.append("separated")
    splits = [_split(kernel, way, call, energy) for way in ways]
    return min(splits, key=lambda split: split.macs[1])


def _split(kernel: Array, way: Way, call: Call, energy: float) -> Split:
    rows = as_matrix(kernel, way)
    left, values, right = np.linalg.svd(rows.astype(np.float64), full_matrices=False)
    rank = rank_of(values, energy)
    root = np.sqrt(values[:rank])
    first, second = left[:, :rank] * root, root[:, None] * right[:rank]
    macs = _macs(kernel, first, second, way, call)
    return Split(way, rank, first, second, macs, (kernel.size, first.size + second.size))


def as_matrix(kernel: Array, way: Way) -> Array:
    """
    The kernel as the matrix whose rank counts.

    A dense layer's (inputs, units); a convolution's (window * inputs, filters), or
    separated, (height * inputs, width * filters).
    """
    if way == "separated":
        high, wide, inputs, filters = kernel.shape
        return kernel.transpose(0, 2, 1, 3).reshape(high * inputs, wide * filters)
    return kernel.reshape(-1, kernel.shape[-1])


def rank_of(values: Array, energy: float) -> int:
    """The smallest rank that keeps *energy* of the sum of squares of singular *values*."""
    squares = np.cumsum(values**2)
    if squares[-1] == 0:
        return 1
    return int(np.searchsorted(squares, energy * squares[-1] * (1 - 1e-12)) + 1)


def _macs(kernel: Array, first: Array, second: Array, way: Way, call: Call) -> tuple[int, int]:
    out = call.outputs[0].shape[1:-1]
    places = math.prod(size or 1 for size in out)
    between = places
    if way == "separated":  # the column is at every place of the row still
        between = (out[0] or 1) * (call.inputs[0].shape[2] or 1)
    return kernel.size * places, first.size * between + second.size * places


def _rebuilt(model: Model, splits: Mapping[str, Split]) -> Model:
    firsts = {name: _first(model.get_layer(name), split) for name, split in splits.items()}

    def clone(layer: Layer) -> Layer:
        return _second(layer, splits[layer.name]) if layer.name in splits else again(layer)

    def call(op: Layer, *args: Any, **kwargs: Any) -> Any:
        if op.name in splits:
            return op(firsts[op.name](*args, **kwargs))
        return op(*args, **kwargs)

    new = rebuild(model, clone, call)
    for name, split in splits.items():
        old, second = model.get_layer(name), new.get_layer(name)
        firsts[name].kernel.assign(split.first.reshape(firsts[name].kernel.shape))
        second.kernel.assign(_row(split, second.kernel.shape))
        if old.use_bias:
            second.bias.assign(old.bias)
    return new


def _row(split: Split, shape: tuple[int, ...]) -> Array:
    """The second factor, (rank, width * filters), as a kernel (1, width, rank, filters)."""
    if split.way == "separated":
        _, wide, rank, filters = shape
        return split.second.reshape(rank, wide, filters).transpose(1, 0, 2).reshape(shape)
    return split.second.reshape(shape)


def _first(layer: Layer, split: Split) -> Layer:
    """The factor on the side of the input: linear, without a bias."""
    width = "units" if type(layer).__name__ == "Dense" else "filters"
    config = {
        "name": f"{layer.name}_in",
        width: split.rank,
        "activation": None,
        "use_bias": False,
        "bias_regularizer": None,
        "bias_constraint": None,
        "activity_regularizer": None,
    }
    return again(layer, **config, **(_window(layer, 0) if split.way == "separated" else {}))


def _second(layer: Layer, split: Split) -> Layer:
    """The factor on the side of the output: with the layer's name, bias and activation."""
    if type(layer).__name__ == "Dense":
        return again(layer)
    if split.way == "separated":
        return again(layer, **_window(layer, 1))
    ones = (1,) * len(layer.kernel_size)
    return again(layer, kernel_size=ones, strides=ones, dilation_rate=ones)


def _window(layer: Layer, axis: int) -> dict[str, tuple[int, ...]]:
    """Window, stride and dilation along one *axis* only."""
    return {
        key: tuple(size if at == axis else 1 for at, size in enumerate(getattr(layer, key)))
        for key in ("kernel_size", "strides", "dilation_rate")
    }
