"""`accuracy`: the share of right answers."""

from __future__ import annotations

from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.metrics._classes import THRESHOLD, classes
from pytest_edgebudget.metrics._labels import OUTPUT, Judged, judged, note
from pytest_edgebudget.metrics.base import RUN, Metric, Options, Value, confidence
from pytest_edgebudget.stats import wilson
from pytest_edgebudget.types import Better, Unit


def read(predictions: Predictions, options: Options) -> Value:
    """
    The share of the declared samples that the model classifies right, 0..1.

    The answer is the largest of the outputs along the last axis (the first of
    equals); of a single output it is class 1 from *threshold* on, which suits
    a sigmoid. With one answer a position (shape (n, positions, classes)), the
    share is over all positions of all samples.

    Labels: class numbers of shape (n,) or (n, positions), or one-hot rows. A
    sample that gives NaN or infinity counts as wrong.

    Interval: Wilson's score interval at 95 %, with as many trials as samples.
    It says how far another draw of samples might lie; it is not judged unless
    the limit sets ``confidence``.

    Source: Brown, Cai, DasGupta, "Interval Estimation for a Binomial
    Proportion", Statistical Science 16(2), 2001.
    """
    pair = judged("accuracy", predictions, options)
    right = _right(pair, options)
    share, samples = float(right.mean()), len(right)
    low, high = wilson(share * samples, samples, confidence(options))
    return Value(share, low, high, note(pair.finite))


def _right(pair: Judged, options: Options) -> Array:
    """Which answers are right, shape (n,) or (n, positions)."""
    found = classes("accuracy", pair, float(options.get("threshold", 0.5)))
    right: Array = found.predicted == found.labels
    return right


def scores(predictions: Predictions, options: Options) -> Array:
    """The share of right answers of each sample, shape (n,)."""
    right = _right(judged("accuracy", predictions, options), options)
    share: Array = right.reshape(len(right), -1).mean(axis=1)
    return share


METRIC = Metric(
    name="accuracy",
    unit=Unit.FRACTION,
    better=Better.HIGHER,
    needs=Predictions,
    read=read,
    accepts=RUN,
    droppable=True,
    scores=scores,
    options=(OUTPUT, THRESHOLD),
)
