"""`auc`: the area under the ROC curve."""

from __future__ import annotations

import math
from statistics import NormalDist

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.metrics._classes import class_numbers
from pytest_edgebudget.metrics._labels import (
    OUTPUT,
    Judged,
    drop_ones,
    judged,
    note,
)
from pytest_edgebudget.metrics.base import RUN, Metric, Option, Options, Value, confidence
from pytest_edgebudget.types import Better, Unit

SCORES = ("output", "reconstruction")


def read(predictions: Predictions, options: Options) -> Value:
    """
    The probability that a sample of the class scores above one of the others, 0..1.

    By ranks, a tie counting half (Mann-Whitney). *score* says what is ranked:

    "output": a single output itself, for labels 0 and 1. Of two outputs the
    second (their difference if they are not in 0..1, as with logits). Of
    more: each class against the rest by its own output, and the mean over the
    classes that occur in the labels.

    "reconstruction": the mean squared difference between the model's input
    and its output, as of an autoencoder; labels are 1 for anomalies.

    Labels: class numbers of shape (n,), or one-hot rows; at least two classes
    must occur. A sample that gives NaN or infinity loses every comparison.

    Interval: 95 %, by inverting the variance of Hanley and McNeil with equal
    groups, as Newcombe does; unlike the plain one it does not vanish at 1. Of
    several classes the mean of their bounds, which is wider than needed.

    Source: Hanley, McNeil, Radiology 143(1), 1982; Newcombe, Statistics in
    Medicine 25(4), 2006, method 5.
    """
    import numpy as np

    pair = judged("auc", predictions, options)
    scores, labels = _ranked(predictions, pair, options)
    z = NormalDist().inv_cdf(0.5 + confidence(options) / 2)
    areas = np.array(_one_vs_rest(scores, labels, pair.finite, z))
    value, low, high = areas.mean(axis=0).tolist()
    return Value(value, low, high, note(pair.finite))


def point(predictions: Predictions, options: Options) -> float:
    """The value alone."""
    pair = judged("auc", predictions, options)
    scores, labels = _ranked(predictions, pair, options)
    areas = [_area(column, sort, pair.finite) for column, sort in _columns(scores, labels)]
    return sum(areas) / len(areas)


def _ranked(predictions: Predictions, pair: Judged, options: Options) -> tuple[Array, Array]:
    """Scores, shape (n, columns), and class numbers, shape (n,)."""
    import numpy as np

    if options.get("score", "output") == "reconstruction":
        scores, labels = _reconstruction(predictions, pair)[:, np.newaxis], _anomalies(pair)
    else:
        scores, labels = _scores(pair), class_numbers("auc", pair, _count(pair))
    if labels.ndim != 1:
        raise ModelError(f"auc needs one label for each sample, not labels of {labels.shape}")
    if len(np.unique(labels)) < 2:
        raise ModelError(
            f"auc needs samples of two classes; all {len(labels)} labels are {labels[0]}",
            "give the split (or the slice) samples of both",
        )
    return scores, labels


def _count(pair: Judged) -> int:
    return 2 if pair.single else int(pair.output.shape[-1])


def _scores(pair: Judged) -> Array:
    """One column of scores for each class, or a single one for class 1 of two."""
    output = pair.output.astype(float)
    if pair.single:
        return output.reshape(len(output), -1)
    if output.shape[-1] != 2:
        return output
    probabilities = ((output >= 0) & (output <= 1)).all()
    return output[:, 1:] if probabilities else output[:, 1:] - output[:, :1]


def _reconstruction(predictions: Predictions, pair: Judged) -> Array:
    output = pair.output.reshape(len(pair.output), -1).astype(float)
    for values in predictions.inputs.values():
        flat = values.reshape(len(values), -1).astype(float)
        if flat.shape == output.shape:
            errors: Array = ((flat - output) ** 2).mean(axis=1)
            return errors
    raise ModelError(
        f'auc with score = "reconstruction" needs an output as large as its input;'
        f" {pair.name!r} has {output.shape[1]} number(s) for each sample",
        'use score = "output" for a model that gives the score itself',
    )


def _anomalies(pair: Judged) -> Array:
    # The output is as wide as the input, and the label is one bit all the same.
    labels = Judged(pair.name, drop_ones(pair.labels), pair.labels, True, pair.finite)
    return class_numbers("auc", labels, count=2)


def _one_vs_rest(
    scores: Array, labels: Array, finite: Array, z: float
) -> list[tuple[float, float, float]]:
    return [_auc(column, sort, finite, z) for column, sort in _columns(scores, labels)]


def _columns(scores: Array, labels: Array) -> list[tuple[Array, Array]]:
    """The scores of each class that occurs, and which samples are of it."""
    import numpy as np

    if scores.shape[1] == 1:
        return [(scores[:, 0], labels == 1)]
    return [(scores[:, c], labels == c) for c in np.unique(labels)]


def _auc(scores: Array, positive: Array, finite: Array, z: float) -> tuple[float, float, float]:
    """Area, low and high of one class against the rest."""
    m, n = int(positive.sum()), int((~positive).sum())
    area = _area(scores, positive, finite)
    return area, _bound(area, m, n, 0.0, z), _bound(area, m, n, 1.0, z)


def _area(scores: Array, positive: Array, finite: Array) -> float:
    import numpy as np

    scores = np.where(finite, scores, np.where(positive, -math.inf, math.inf))
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # the mean rank of equals
    m, n = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - m * (m + 1) / 2) / (m * n))


def _bound(area: float, m: int, n: int, end: float, z: float) -> float:
    """The value between *area* and *end* whose own error just reaches *area*."""
    inside, outside = area, end
    for _ in range(50):
        middle = (inside + outside) / 2
        if abs(area - middle) < z * math.sqrt(_variance(middle, m, n)):
            inside = middle
        else:
            outside = middle
    return outside


def _variance(area: float, m: int, n: int) -> float:
    others = (m + n) / 2 - 1
    spread = others * (1 - area) / (2 - area) + others * area / (1 + area)
    return area * (1 - area) * (1 + spread) / (m * n)


METRIC = Metric(
    name="auc",
    unit=Unit.FRACTION,
    better=Better.HIGHER,
    needs=Predictions,
    read=read,
    accepts=RUN,
    droppable=True,
    point=point,
    options=(Option("score", str, "output", "what is ranked", choices=SCORES), OUTPUT),
)
