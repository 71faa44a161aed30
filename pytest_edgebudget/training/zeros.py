"""Weights that were pruned stay zero while a model is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_edgebudget.facts import Array

PRUNED = 0.1
"""From this share of exact zeros on, a kernel is taken to have been pruned."""


def kernels(model: Any) -> Iterator[Any]:
    """The trainable weights of *model* with two axes or more: no biases, no norms."""
    for variable in model.trainable_weights:
        if len(variable.shape) > 1:
            yield variable


def keep_zeros(model: Any) -> None:
    """Hold the zeros of every kernel that was pruned: after each step they are zero again."""
    for variable in kernels(model):
        mask = variable.numpy() != 0
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
        return (earlier(values) if earlier else values) * kept

    variable.constraint = masked
    variable.assign(variable * kept)
    return kept
