"""`top_k`: the share of samples whose class is among the k likeliest."""

from __future__ import annotations

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.metrics._classes import class_numbers
from pytest_edgebudget.metrics._labels import OUTPUT, Judged, judged, note
from pytest_edgebudget.metrics.base import RUN, Metric, Option, Options, Value, confidence
from pytest_edgebudget.stats import wilson
from pytest_edgebudget.types import Better, Unit


def read(predictions: Predictions, options: Options) -> Value:
    """
    The share of the declared samples whose class is among the *k* largest outputs, 0..1.

    Of equal outputs the lower class number comes first, so that k = 1 is the
    accuracy. The output holds one number for each of more than *k* classes.

    Labels: class numbers of shape (n,) or (n, positions), or one-hot rows. A
    sample that gives NaN or infinity counts as wrong.

    Interval: Wilson's score interval at 95 %, with as many trials as samples
    (Statistical Science 16(2), 2001).
    """
    pair = judged("top_k", predictions, options)
    right = _right(pair, options)
    share = float(right.mean())
    low, high = wilson(share * len(right), len(right), confidence(options))
    return Value(share, low, high, note(pair.finite))


def scores(predictions: Predictions, options: Options) -> Array:
    """The share of right answers of each sample, shape (n,)."""
    return _right(judged("top_k", predictions, options), options)


def _right(pair: Judged, options: Options) -> Array:
    import numpy as np

    k = int(options.get("k", 5))
    if pair.single:
        raise ModelError("top_k needs one output for each class", "use accuracy")
    count = pair.output.shape[-1]
    if not 1 <= k < count:
        raise ModelError(
            f"top_k with k = {k} says nothing about an output of {count} classes",
            f"k must be from 1 to {count - 1}",
        )
    labels = class_numbers("top_k", pair, count)
    best = np.argsort(-pair.output, axis=-1, kind="stable")[..., :k]
    found = (best == labels[..., np.newaxis]).any(axis=-1).reshape(len(labels), -1).mean(axis=1)
    right: Array = found * pair.finite
    return right


METRIC = Metric(
    name="top_k",
    unit=Unit.FRACTION,
    better=Better.HIGHER,
    needs=Predictions,
    read=read,
    accepts=RUN,
    droppable=True,
    scores=scores,
    options=(Option("k", int, 5, "how many of the likeliest classes count"), OUTPUT),
)
