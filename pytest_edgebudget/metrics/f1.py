"""`f1`: the harmonic mean of precision and recall."""

from __future__ import annotations

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.metrics._classes import THRESHOLD, Classes, classes
from pytest_edgebudget.metrics._labels import OUTPUT, Judged, judged, note
from pytest_edgebudget.metrics.base import RUN, Metric, Option, Options, Value, confidence
from pytest_edgebudget.types import Better, Unit

RESAMPLES = 500
AVERAGES = ("macro", "weighted", "binary")


def read(predictions: Predictions, options: Options) -> Value:
    """
    F1 = 2 TP / (2 TP + FP + FN) of each class, averaged, 0..1.

    *average* is "macro" (the mean over the classes that occur in labels or
    answers), "weighted" (the same, each class weighted by its labels) or
    "binary" (class 1 alone, of a model with two classes). A class that is
    never answered right has an F1 of 0.

    Labels and answers are those of `accuracy`: class numbers of shape (n,) or
    (n, positions), or one-hot rows; of a single output class 1 from
    *threshold* on. A sample that gives NaN or infinity is answered wrong.

    Interval: 2.5 % to 97.5 % of 500 bootstrap resamples of the samples, with a
    fixed seed.

    Source: van Rijsbergen, "Information Retrieval", 1979, ch. 7; Efron,
    Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13.
    """
    pair = judged("f1", predictions, options)
    average, found = _found(pair, options)
    cells, counts = _cells(found.labels, found.predicted)
    low, high = _bootstrap(
        cells, counts, len(found.labels), found.count, average, confidence(options)
    )
    return Value(_f1(cells, counts, found.count, average), low, high, note(pair.finite))


def point(predictions: Predictions, options: Options) -> float:
    """The value alone."""
    average, found = _found(judged("f1", predictions, options), options)
    return _f1(*_cells(found.labels, found.predicted), found.count, average)


def _found(pair: Judged, options: Options) -> tuple[str, Classes]:
    """How classes are averaged, and the classes."""
    average = str(options.get("average", "macro"))
    found = classes("f1", pair, float(options.get("threshold", 0.5)))
    if average == "binary" and found.count != 2:
        raise ModelError(
            f'f1 with average = "binary" needs two classes; {pair.name!r} has {found.count}',
            'use average = "macro" or "weighted"',
        )
    return average, found


def _cells(labels: Array, predicted: Array) -> tuple[Array, Array]:
    """The (label, answer) pairs that occur, shape (cells, 2), and how often."""
    import numpy as np

    labels, answers = labels.ravel(), predicted.ravel() + 1  # an answer may be -1
    width = int(max(labels.max(), answers.max())) + 1
    counts = np.bincount(labels * width + answers)
    found = np.flatnonzero(counts)
    cells = np.stack([found // width, found % width - 1], axis=1)
    return cells, counts[found]


def _f1(cells: Array, counts: Array, classes: int, average: str) -> float:
    import numpy as np

    labels, answers = cells[:, 0], cells[:, 1]
    right, answered = labels == answers, answers >= 0
    truths = np.bincount(labels, counts, classes)
    positives = np.bincount(answers[answered], counts[answered], classes)
    hits = np.bincount(labels[right], counts[right], classes)
    total = truths + positives
    scores = np.divide(2 * hits, total, out=np.zeros(classes), where=total > 0)
    if average == "binary":
        return float(scores[1])
    weights = truths if average == "weighted" else total > 0
    return float(np.average(scores, weights=weights))


def _bootstrap(
    cells: Array, counts: Array, samples: int, classes: int, average: str, level: float
) -> tuple[float, float]:
    import numpy as np

    # Resampling samples is drawing from the cells; the seed keeps a run repeatable.
    draws = np.random.default_rng(0).multinomial(samples, counts / counts.sum(), RESAMPLES)
    scores = [_f1(cells, draw, classes, average) for draw in draws]
    low, high = np.quantile(scores, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


METRIC = Metric(
    name="f1",
    unit=Unit.FRACTION,
    better=Better.HIGHER,
    needs=Predictions,
    read=read,
    accepts=RUN,
    droppable=True,
    point=point,
    options=(
        Option("average", str, "macro", "over the classes", choices=AVERAGES),
        OUTPUT,
        THRESHOLD,
    ),
)
