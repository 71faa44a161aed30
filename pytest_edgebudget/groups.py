"""Joint limits of several models that live in one device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.types import (
    Evidence,
    GroupBudget,
    Layer,
    Limit,
    Missing,
    Reading,
    Verdict,
)
from pytest_edgebudget.verdict import Case, judge

WEAKEST_LAST = tuple(Evidence)


def judge_group(
    group: GroupBudget,
    limit: Limit,
    metric: Metric,
    parts: Mapping[str, Reading | Missing],
    *,
    today: date,
    strict: bool = False,
) -> Verdict:
    """
    Judge the sum of an additive metric over the models of *group*.

    What models use in turn (`Reading.shared`) counts once, at its largest.

    *parts* holds each model's reading; one that is missing leaves the whole
    limit unmeasured, since a sum without it would look kept.
    """
    case = Case(limit=limit, better=metric.better, reading=_sum(limit, parts))
    return judge(case, model=group.name, today=today, strict=strict)


def _sum(limit: Limit, parts: Mapping[str, Reading | Missing]) -> Reading | Missing:
    for name, part in parts.items():
        if isinstance(part, Missing):
            return Missing(limit.metric, f"{name}: {part.reason}")
    readings = {name: part for name, part in parts.items() if isinstance(part, Reading)}
    shares = (Layer(name, "model", reading.value) for name, reading in readings.items())
    shared = [reading.shared for reading in readings.values()]
    unused = sum(shared) - max(shared)
    return Reading(
        metric=limit.metric,
        value=sum(reading.value for reading in readings.values()) - unused,
        low=sum(reading.low for reading in readings.values()) - unused,
        high=sum(reading.high for reading in readings.values()) - unused,
        evidence=max((each.evidence for each in readings.values()), key=WEAKEST_LAST.index),
        noisy=any(reading.noisy for reading in readings.values()),
        note=_note(readings),
        layers=tuple(sorted(shares, key=lambda share: -share.value)),
    )


def _note(readings: Mapping[str, Reading]) -> str:
    shared = {name: reading.shared for name, reading in readings.items()}
    text = " + ".join(readings)
    if any(shared.values()):
        largest = max(shared, key=lambda name: shared[name])
        text = f"the head of {largest}, which all use in turn, + the tails of {', '.join(readings)}"
    bounds = [f"{name}: {each.note}" for name, each in readings.items() if math.isinf(each.high)]
    return "; ".join([text, *bounds])
