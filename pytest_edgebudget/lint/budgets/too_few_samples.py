"""
The test data has too few samples for the tolerance that a limit gives.

What it finds
    ``max_drop`` and ``max_regression`` of a share of right answers (``accuracy``, ``top_k``)
    that the number of samples in ``x_test`` cannot tell from chance. A warning where a single
    sample is more than the tolerance, a note where a real drop of that size would be missed too
    often. The samples are counted in the header of the ``.npz``.

Why it hurts
    Both models answer the same samples, and only those count on which they disagree. With a
    share q of disagreement, seeing a drop of d in four of five cases, and crying wolf in one of
    twenty, needs ::

        n = ((1.645 * sqrt(q) + 0.842 * sqrt(q - d * d)) / d) ** 2

    samples. Models quantized to int8 often disagree with their source on 2 to 3 % of samples, so
    q is taken as 2 %, or d where that is more: one point needs 1,235 samples, half a point
    4,945, two points 308. With fewer, a model that lost two points may pass, and one that lost
    nothing may fail. The verdict is right for these samples, and says little about others.

    Source of the formula: Connor, "Sample Size for Testing Differences in Proportions for the
    Paired-Sample Design", Biometrics 43 (1987), 207-211; one-sided at 5 %, power 80 %.

Example
    ``accuracy = { max_drop = "1 pp" }`` with 540 samples: 1,235 are needed.

Instead
    Add samples, or allow the drop that so many samples can show. ``confidence = 0.95`` judges
    the interval instead of the value, so that too few samples are undecided and no pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import Limit

SHARES = frozenset({"accuracy", "top_k"})
"""Metrics that are a share of right answers."""

DISAGREEING = 0.02
"""The share of samples on which a quantized model is taken to differ from its source."""

_FALSE_ALARM, _POWER = 1.645, 0.8416  # normal quantiles of 95 % and 80 %


def check(file: BudgetFile) -> Iterator[Finding]:
    """Tolerances that the samples are too few for."""
    from pytest_edgebudget.lint.budgets._data import data_file

    for model in file.budget.models:
        limits = [(limit, drop) for limit in model.limits if (drop := _tolerance(limit))]
        data = data_file(model) if limits else None
        samples = data.samples("test") if data else 0
        for limit, drop in limits if samples else ():
            if samples < (enough := needed(drop)):
                yield _finding(limit, drop, samples, enough)


def needed(drop: float) -> int:
    """Samples that show a real drop of that share in four of five cases."""
    share = max(DISAGREEING, drop)
    root = _FALSE_ALARM * math.sqrt(share) + _POWER * math.sqrt(share - drop * drop)
    return math.ceil((root / drop) ** 2)


def _tolerance(limit: Limit) -> float:
    """The least that is allowed to be lost, as a share of all samples; 0 for none."""
    if limit.metric not in SHARES or limit.confidence is not None:
        return 0.0
    rooms = [room.of(1.0) for room in (limit.max_drop, limit.max_regression) if room]
    return min((room for room in rooms if 0 < room < 1), default=0.0)


def _finding(limit: Limit, drop: float, samples: int, enough: int) -> Finding:
    points = f"{drop * 100:.3g} pp"
    if drop * samples < 1:
        message = f"one of {samples:,} samples is more than {points}: one other answer breaks it"
        return at(limit.place, f"{message}; {enough:,} samples are needed")
    message = f"{samples:,} samples are too few for {points}: {enough:,} are needed"
    return at(limit.place, message, severity=Severity.NOTE)


RULE = Rule(
    code="EB110",
    name="too-few-samples",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
