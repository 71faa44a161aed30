"""`cosine`: how close the outputs are to the source model's, without labels."""

from __future__ import annotations

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.metrics._differences import mean_interval
from pytest_edgebudget.metrics._labels import OUTPUT, finite, note, output_name
from pytest_edgebudget.metrics.base import RUN, Metric, Options, Value, confidence
from pytest_edgebudget.types import Better, Unit


def read(predictions: Predictions, options: Options) -> Value:
    """
    The cosine between a sample's output and the source model's, mean over the samples, -1..1.

    a.b / (|a| |b|), each output flattened to one vector a sample. It needs no
    labels, and 1 means the same direction: the same ranking of classes, though
    not the same scale. Two zero vectors have a cosine of 1, a zero vector and
    another 0; so does a sample that gives NaN or infinity.

    Outputs are matched by name, or by position where a pass renamed them.

    Interval: mean +- 1.96 standard errors over the samples (normal
    approximation of the mean; none for a single sample).
    """
    name = output_name(predictions, options)
    ours, theirs = _flat(predictions.outputs[name]), _flat(_source(predictions, name))
    if ours.shape != theirs.shape:
        raise ModelError(
            f"cosine cannot compare the output {name!r}: {ours.shape[1]} numbers for each sample,"
            f" {theirs.shape[1]} in the source model"
        )
    usable = finite(ours) & finite(theirs)
    cosines = _cosines(ours, theirs, usable)
    mean, half = mean_interval(cosines, confidence(options))
    interval = (max(-1.0, mean - half), min(1.0, mean + half)) if len(cosines) > 1 else (mean, mean)
    return Value(mean, *interval, note(usable))


def _source(predictions: Predictions, name: str) -> Array:
    source = predictions.source
    if not source:
        raise ModelError("cosine compares with the source model, and its outputs are not there")
    if name in source:
        return source[name]
    position = list(predictions.outputs).index(name)
    if len(source) != len(predictions.outputs):
        raise ModelError(
            f"cosine: the source model has no output {name!r}", f"it has {', '.join(source)}"
        )
    return list(source.values())[position]


def _flat(output: Array) -> Array:
    flat: Array = output.reshape(len(output), -1).astype(float)
    return flat


def _cosines(ours: Array, theirs: Array, usable: Array) -> Array:
    import numpy as np

    ours, theirs = (np.where(usable[:, np.newaxis], side, 0) for side in (ours, theirs))
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    both_zero = usable & ~ours.any(axis=1) & ~theirs.any(axis=1)
    cosines = np.divide(
        (ours * theirs).sum(axis=1), lengths, out=both_zero * 1.0, where=lengths > 0
    )
    clipped: Array = np.clip(cosines, -1, 1)
    return clipped


METRIC = Metric(
    name="cosine",
    unit=Unit.NUMBER,
    bounds=(-1.0, 1.0),
    better=Better.HIGHER,
    needs=Predictions,
    read=read,
    accepts=RUN,
    compares=True,
    options=(OUTPUT,),
)
