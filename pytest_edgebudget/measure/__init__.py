"""
Artifact and device to readings: each kind of facts gathered once.

Readings that are the same at every run are cached: a second run starts no
worker, and imports neither numpy nor a runtime.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_edgebudget.data import DataFile
from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.errors import BuildError, EdgeBudgetError, ModelError
from pytest_edgebudget.facts import EstimatedCost, Predictions
from pytest_edgebudget.measure.cache import cached, keep
from pytest_edgebudget.measure.gather import Gathered
from pytest_edgebudget.measure.keys import STATIC, comparison_key
from pytest_edgebudget.measure.predictions import step
from pytest_edgebudget.measure.slices import worst_slice
from pytest_edgebudget.measure.subject import Subject
from pytest_edgebudget.measure.wanted import Wanted as Wanted
from pytest_edgebudget.metrics._paired import moved, paired
from pytest_edgebudget.metrics.base import Metric, Value
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, Drop, Evidence, Measurement, Missing, Reading


def measure(
    artifact: Artifact,
    wanted: Sequence[Wanted],
    *,
    device: Device,
    data: DataFile | None,
    split: str,
    source: Artifact | None,
    state: str,
    store: Store,
    root: Path,
    first: int | None = None,
    answered: dict[tuple[str, str, int | None], Any] | None = None,
    kept: bool = False,
) -> Measurement:
    """
    Read the metrics *wanted* of *artifact* on *device*.

    Args:
        artifact: the file to measure.
        wanted: names, metrics and options.
        device: where it runs.
        data: the samples, where there are any.
        split: which of them: ``x_SPLIT``.
        source: the model that it was made from, for metrics that compare.
        state: "reset" between samples, or "carried".
        store: keeps readings that are the same at every run.
        root: the project's folder.
        first: only so many samples; the device's own number where that is less.
        answered: keeps the source model's answers from call to call, for one
            device, source and data.
        kept: only readings of earlier runs; nothing is measured.

    Returns:
        A reading or the reason why there is none, for each name.

    Raises:
        DeviceError: a worker crashed, hung or ran out of memory.
        ModelError: the runtime refuses the model, or the data do not fit it.
        MissingExtra: the runtime is not installed.
    """
    subject = Subject(
        artifact=artifact,
        device=device,
        data=data,
        split=split,
        first=_fewest(first, device.choice.samples),
        source=source,
        state=state,
        answered={} if answered is None else answered,
    )
    if kept:
        earlier = {each.name: cached(each, subject, store) for each in wanted}
        return Measurement({name: it for name, it in earlier.items() if it is not None}, {})
    gathered = Gathered(subject, wanted)
    found = {each.name: _reading(each, gathered, store) for each in wanted}
    return Measurement(
        readings={name: it for name, it in found.items() if isinstance(it, Reading)},
        missing={name: it for name, it in found.items() if isinstance(it, Missing)},
    )


def _fewest(first: int | None, samples: int | None) -> int | None:
    counts = [count for count in (first, samples) if count is not None]
    return min(counts, default=None)


def _reading(wanted: Wanted, gathered: Gathered, store: Store) -> Reading | Missing:
    subject = gathered.subject
    if reading := cached(wanted, subject, store):
        return reading
    found = _read(wanted, gathered)
    if isinstance(found, Reading):
        keep(found, wanted, subject, store)
    return found


def _read(wanted: Wanted, gathered: Gathered) -> Reading | Missing:
    metric, subject = wanted.metric, gathered.subject
    try:
        facts = gathered.facts(metric.needs)
    except CannotTell as error:
        return _missing(wanted, error)
    try:
        value = _value(wanted, facts, subject)
    except (CannotTell, ModelError, BuildError) as error:
        # The metric's own objection: no labels, a function of the user's that
        # fails. The other metrics read the same facts all the same.
        return _missing(wanted, error)
    high = float(value.value if value.high is None else value.high)
    evidence = value.evidence or _evidence(metric, subject, facts)
    return Reading(
        metric=metric.name,
        value=float(value.value),
        low=float(value.value if value.low is None else value.low),
        high=high,
        evidence=evidence,
        # A lower bound decides no upper limit, and neither does the middle of an estimate.
        noisy=metric.noisy or math.isinf(high) or evidence is Evidence.ESTIMATED,
        key=comparison_key(wanted, subject, facts),
        note=value.note,
        layers=value.layers,
        shared=value.shared,
        drop=_drop(wanted, facts, subject),
    )


def _value(wanted: Wanted, facts: object, subject: Subject) -> Value:
    if wanted.slices and isinstance(facts, Predictions):
        return worst_slice(wanted, facts, subject)
    if isinstance(facts, EstimatedCost) and not wanted.metric.estimable:
        raise CannotTell(facts.refused)
    return wanted.metric.read(facts, wanted.options)


def _drop(wanted: Wanted, facts: object, subject: Subject) -> Drop | None:
    """How much worse than the source, with the samples' places in the split."""
    if not wanted.paired or not isinstance(facts, Predictions) or subject.data is None:
        return None
    found = paired(wanted.metric, facts, wanted.options)
    return moved(found, step(subject.data.samples(subject.split), subject.first))


def _evidence(metric: Metric, subject: Subject, facts: object) -> Evidence:
    static = metric.exact or metric.needs in STATIC
    if isinstance(facts, Predictions) and facts.evidence is not None:
        return facts.evidence
    return Evidence.EXACT if static else subject.device.evidence(metric.needs)


def _missing(wanted: Wanted, error: EdgeBudgetError) -> Missing:
    reason = f"{error.message}; {error.hint}" if error.hint else error.message
    return Missing(wanted.name, reason)
