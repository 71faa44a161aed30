"""Weights that were pruned stay zero while a model is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_edgebudget.facts import Array

PRUNED = 0.1
"""From this share of exact zeros on, a kernel is taken to have been pruned."""


WHOLE = ("DepthwiseConv1D", "DepthwiseConv2D", "Embedding")
"""Layers whose weights are few and all needed, or looked up instead of multiplied with."""


def kernels(model: Any) -> Iterator[Any]:
    """
    The trainable matrices of *model*: of convolutions, dense and recurrent layers.

    No biases, no norms, no depthwise kernels, no embeddings.
    """
    whole = {
        id(variable)
        for layer in model._flatten_layers(include_self=False)
        for variable in layer.trainable_variables
        if type(layer).__name__ in WHOLE or variable.name == "depthwise_kernel"
    }
    for variable in model.trainable_weights:
        if len(variable.shape) > 1 and id(variable) not in whole:
            yield variable


def keep_zeros(model: Any) -> None:
    """Hold the zeros of every kernel that was pruned: after each step they are zero again."""
    for variable in kernels(model):
        mask: Array = variable.numpy() != 0
        if mask.size and 1 - mask.mean() >= PRUNED:
            hold(variable, mask)


def hold(variable: Any, mask: Array) -> Any:
    """
    Multiply *variable* by *mask* now and after each step; return the mask's variable.

    Keras applies a variable's constraint right behind the optimizer's step.
    """
    import keras

    kept = keras.Variable(mask.astype(variable.dtype), trainable=False, name="mask")
    earlier = variable.constraint

    def masked(values: Any) -> Any:
        return (earlier(values) if earlier else values) * kept + 0.0  # not -0.0

    variable.constraint = masked
    variable.assign(variable * kept)
    return kept
