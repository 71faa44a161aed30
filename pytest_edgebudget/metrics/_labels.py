"""Outputs and their labels, brought to the shapes that the quality metrics compare."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.metrics.base import Option, Options

OUTPUT = Option("output", str, "", "the output to judge (default: the first that has labels)")


@dataclass(frozen=True, slots=True)
class Judged:
    """
    One output and its labels, first axis the samples, other axes of size 1 dropped.

    *single* says that the output is one number, not one for each class.
    *finite* is False for samples with a NaN or an infinity in the output.
    """

    name: str
    output: Array
    labels: Array
    single: bool
    finite: Array


def judged(metric: str, predictions: Predictions, options: Options) -> Judged:
    """
    Return the output that the options name, with its labels.

    Raises:
        ModelError: no such output, no labels for it, or another number of samples.
    """
    name = output_name(predictions, options)
    raw, labels = predictions.outputs[name], _labels(metric, predictions, name)
    if labels.dtype.kind not in "biuf":
        raise ModelError(
            f"{metric} needs labels that are numbers, not {labels.dtype}",
            "for classes, their position in the output: 0, 1, 2, ...",
        )
    if len(raw) != len(labels):
        raise ModelError(
            f"{metric} needs one label for each sample;"
            f" there are {len(raw)} samples and {len(labels)} labels (y_test)",
            "x and y of a split must have the same length",
        )
    if len(raw) == 0:
        raise ModelError(
            f"{metric} needs samples; the data have none for this split",
            "the first axis of x_test and y_test is the samples",
        )
    single = raw.ndim == 1 or raw.shape[-1] == 1
    return Judged(name, drop_ones(raw), drop_ones(labels), single, finite(raw))


def output_name(predictions: Predictions, options: Options) -> str:
    """The output that the option names; without it, the first that has labels."""
    names, wanted = list(predictions.outputs), str(options.get("output", ""))
    if not wanted:
        return next((name for name in names if name in predictions.labels), names[0])
    if wanted not in names:
        raise ModelError(
            f"there is no output {wanted!r}", f"the model's outputs are {', '.join(names)}"
        )
    return wanted


def _labels(metric: str, predictions: Predictions, name: str) -> Array:
    import numpy as np

    found = predictions.labels.get(name)
    if found is None and name == next(iter(predictions.outputs)):
        found = predictions.labels.get("")  # one unnamed y belongs to the first output
    if found is not None:
        return np.atleast_1d(found)
    if predictions.labels:
        raise ModelError(
            f"{metric} needs labels for the output {name!r}",
            f"name them y_test/{name}; there are labels for"
            f" {', '.join(key or 'the first output' for key in predictions.labels)}",
        )
    raise ModelError(
        f"{metric} needs labels (y_test), and the data have none for these samples",
        "a metric without labels: cosine, to the source model's outputs",
    )


def drop_ones(array: Array) -> Array:
    """*array* without axes of size 1, except the first."""
    return array.reshape(len(array), *(size for size in array.shape[1:] if size != 1))


def finite(output: Array) -> Array:
    """Which samples hold neither NaN nor infinity, shape (n,)."""
    import numpy as np

    finite: Array = np.isfinite(output.reshape(len(output), -1)).all(axis=1)
    return finite


def note(finite: Array) -> str:
    """What a reader must know about samples that are not finite."""
    bad = len(finite) - int(finite.sum())
    return f"{bad} of {len(finite)} samples gave NaN or infinity" if bad else ""
