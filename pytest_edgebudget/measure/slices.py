"""A metric on the worst slice of the samples: the worst speaker, the worst camera."""

from __future__ import annotations

from dataclasses import replace

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.measure.predictions import arrays
from pytest_edgebudget.measure.subject import Subject
from pytest_edgebudget.measure.wanted import Wanted
from pytest_edgebudget.metrics._paired import subset
from pytest_edgebudget.metrics.base import Value
from pytest_edgebudget.types import Better


def worst_slice(wanted: Wanted, predictions: Predictions, subject: Subject) -> Value:
    """
    The metric's value on the slice where it is worst; the note names the slice.

    Raises CannotTell where the data does not sort the samples.
    """
    import numpy as np

    sorts = _sorting(wanted, subject)
    options = {key: value for key, value in wanted.options.items() if key != "slices"}
    found = []
    for each in np.unique(sorts):
        chosen = sorts == each
        value = wanted.metric.read(subset(predictions, chosen), options)
        found.append(
            (value, f"{wanted.slices} {each}: {int(chosen.sum())} of {len(sorts)} samples")
        )
    pick = min if wanted.metric.better is Better.HIGHER else max
    value, words = pick(found, key=lambda pair: pair[0].value)
    return replace(value, note="; ".join(part for part in (words, value.note) if part))


def _sorting(wanted: Wanted, subject: Subject) -> Array:
    """The array of one value a sample."""
    name = f"{wanted.slices}_{subject.split}"
    if subject.data is None or not subject.data.has(name):
        raise CannotTell(
            f"the data has no {name} to slice by", f"add {name}, one value a sample, to the data"
        )
    sorts = arrays(subject.data, name, subject.first)[""]
    samples = subject.data.samples(subject.split)
    expected = min(samples, subject.first) if subject.first is not None else samples
    if sorts.ndim != 1 or len(sorts) != expected:
        raise CannotTell(f"{name} has the shape {sorts.shape}; it needs one value a sample")
    return sorts
