"""Outputs and labels of classifiers, as class numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.metrics._labels import Judged
from pytest_edgebudget.metrics.base import Option

THRESHOLD = Option("threshold", float, 0.5, "of a single output: from here on it is class 1")


@dataclass(frozen=True, slots=True)
class Classes:
    """Class numbers: *predicted* is -1 for samples that are not finite; *count* of classes."""

    predicted: Array
    labels: Array
    count: int


def classes(metric: str, pair: Judged, threshold: float) -> Classes:
    """
    Return predicted and true class numbers, both of shape (n, ...).

    Raises:
        ModelError: labels that are not classes of this output.
    """
    import numpy as np

    if pair.single:
        labels = class_numbers(metric, pair, count=2)
        predicted = (pair.output >= threshold).astype(np.int64)
    else:
        labels = class_numbers(metric, pair, count=pair.output.shape[-1])
        predicted = pair.output.argmax(axis=-1)
    bad = ~pair.finite.reshape(-1, *[1] * (predicted.ndim - 1))
    predicted = np.where(bad, -1, predicted)
    return Classes(predicted, labels, 2 if pair.single else pair.output.shape[-1])


def class_numbers(metric: str, pair: Judged, count: int) -> Array:
    """The labels as integers 0..count-1, from integers or one-hot rows."""
    import numpy as np

    expected = pair.output.shape if pair.single else pair.output.shape[:-1]
    labels = pair.labels
    if not pair.single and labels.shape == pair.output.shape:
        labels = _from_one_hot(metric, pair)
    if labels.shape != expected:
        raise ModelError(
            f"{metric} cannot compare labels of shape {labels.shape}"
            f" with the output {pair.name!r} of shape {pair.output.shape}",
            f"labels are classes 0..{count - 1} of shape {_shape(expected)}"
            + ("" if pair.single else " or one-hot"),
        )
    if not np.isin(labels, np.arange(count)).all():
        odd = labels[~np.isin(labels, np.arange(count))].flat[0]
        raise ModelError(
            f"{metric}: the label {odd} is not a class of the output {pair.name!r}",
            f"its {count} classes are 0..{count - 1}",
        )
    return labels.astype(np.int64)


def _from_one_hot(metric: str, pair: Judged) -> Array:
    labels = pair.labels.astype(float)
    if not (((labels == 0) | (labels == 1)).all() and (labels.sum(axis=-1) == 1).all()):
        raise ModelError(
            f"{metric}: labels of shape {labels.shape} must be one-hot",
            "exactly one 1 and else 0 in each row, or give class numbers instead",
        )
    numbers: Array = labels.argmax(axis=-1)
    return numbers


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
