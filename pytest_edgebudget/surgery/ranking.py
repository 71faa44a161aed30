"""How important each channel is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_edgebudget.facts import Array
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.surgery.kinds import KINDS
from pytest_edgebudget.surgery.rebuild import Layer, Model
from pytest_edgebudget.surgery.trace import Traced, trace
from pytest_edgebudget.training.arrays import as_given, output_names, read_samples
from pytest_edgebudget.training.losses import targets

BATCH = 32
SAMPLES = 1024
"""Of the train data, for gradients: the first ones."""

Scores = dict[str, Array]
"""Per layer that makes channels: one number each, larger is more important."""


def by_l1(model: Model) -> Scores:
    """
    The sum of a channel's absolute weights.

    Li et al., Pruning Filters for Efficient ConvNets, ICLR 2017.
    """
    return {
        layer.name: _summed(np.abs(np.asarray(getattr(layer, name))), axis)
        for layer in model.layers
        for name, axis in _made_by(layer)[:1]
    }


def by_scale(model: Model) -> Scores:
    """
    The scale of the batch normalization behind a channel; the L1 norm where there is none.

    Liu et al., Learning Efficient Convolutional Networks through Network Slimming, ICCV 2017.
    """
    traced = trace(model)
    scales = _scales(model, traced)
    norms = by_l1(model)
    scores = {}
    for name, numbers in traced.channels.makers.items():
        found = [scales.get(int(root)) for root in traced.channels.roots(numbers)]
        known = all(scale is not None for scale in found)
        scores[name] = np.array(found) if known else norms[name]
    return scores


def _scales(model: Model, traced: Traced) -> dict[int, float]:
    scales: dict[int, float] = {}
    for layer in model.layers:
        if type(layer).__name__ != "BatchNormalization" or layer.name not in traced.ends:
            continue
        if layer.gamma is None:
            continue
        roots = traced.channels.roots(traced.ends[layer.name].taken)
        for root, scale in zip(roots, np.abs(np.asarray(layer.gamma)), strict=True):
            scales[int(root)] = scales.get(int(root), 0.0) + float(scale)
    return scales


def by_taylor(model: Model, job: Job, samples: int = SAMPLES) -> Scores:
    """
    How much the loss on ``x_train`` would change without a channel, to first order.

    The square of the sum of weight times gradient over all of a channel's weights,
    averaged over batches of 32: Molchanov et al., Importance Estimation for Neural
    Network Pruning, CVPR 2019, equation 8.

    Raises:
        BuildError: the data do not fit the model, or there are none.
    """
    read = read_samples(job.data, "train", model, job.step)
    wanted = targets(model, read, job.step)
    scores: Scores = {}
    for start in range(0, min(len(read), samples), BATCH):
        batch = slice(start, start + BATCH)
        inputs = [array[batch] for array in read.inputs]
        pairs = [(wanted[name].loss(), wanted[name].labels[batch]) for name in output_names(model)]
        for name, change in _changes(model, inputs, pairs).items():
            scores[name] = scores.get(name, 0.0) + change**2
    return scores


def _changes(model: Model, inputs: list[Array], pairs: Sequence[tuple[Any, Array]]) -> Scores:
    """Per channel, the sum of weight times gradient over one batch."""
    import tensorflow as tf

    makers = [layer for layer in model.layers if _made_by(layer)]
    weights = [[getattr(layer, name).value for name, _ in _made_by(layer)] for layer in makers]
    with tf.GradientTape() as tape:
        answers = tf.nest.flatten(model(as_given(model, inputs), training=False))
        loss = sum(each(y, answer) for (each, y), answer in zip(pairs, answers, strict=True))
    gradients = tape.gradient(loss, weights)
    return {
        layer.name: _change(layer, values, slopes)
        for layer, values, slopes in zip(makers, weights, gradients, strict=True)
    }


def _change(layer: Layer, values: Sequence[Any], slopes: Sequence[Any]) -> Array:
    import tensorflow as tf

    total: Any = 0.0
    for (_, axis), value, slope in zip(_made_by(layer), values, slopes, strict=True):
        if slope is not None:
            dense = tf.convert_to_tensor(slope)  # an embedding's are slices
            total = total + _summed(np.asarray(value) * np.asarray(dense), axis)
    return np.asarray(total)


def _summed(values: Array, axis: int) -> Array:
    """The sum over all axes but *axis*."""
    others = tuple(at for at in range(values.ndim) if at != axis % values.ndim)
    total: Array = values.sum(axis=others)
    return total


def _made_by(layer: Layer) -> list[tuple[str, int]]:
    """The weights that make a layer's channels, and which of their axes these are."""
    kind = KINDS.get(type(layer).__name__)
    if kind is None or not kind.width:
        return []
    return [
        (name, axis)
        for name, axes in kind.cuts.items()
        for axis, side in axes
        if side == "out" and getattr(layer, name, None) is not None
    ]
