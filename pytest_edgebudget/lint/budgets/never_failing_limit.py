"""
A limit can never fail, whatever the model does.

What it finds
    A ``min`` that is the least value there is (an accuracy of 0 %), a ``max`` that is the
    largest, a drop or a regression of everything (100 pp). A limit that follows from another
    one: the median ``latency`` is never above ``latency_p95``, ``download_size`` is never above
    ``size`` by more than a few bytes, and a group whose maximum is not below the sum of its
    models' maxima cannot be broken while these are kept. An ``auc`` of 50 % or less, which a
    model reaches that throws a coin.

Why it hurts
    The report shows a green line for something that nobody checks. Such limits are usually a
    unit slipped (``min = 0.009`` for 0.9) or a value that was meant to be filled in.

Example
    ::

        [models.keywords.budget]
        accuracy    = { min = 0 }
        latency     = "20 ms"
        latency_p95 = "15 ms"       # broken before the median can be

Instead
    Write what the product needs, or what the model has today with some room; ``edgebudget init``
    proposes it. ``max_regression`` with a lock holds on to what was reached.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import GroupBudget, Limit, ModelBudget, Tolerance, Unit
from pytest_edgebudget.units import format_value

_BELOW = (("latency", "latency_p95"), ("latency", "latency_p99"), ("latency_p95", "latency_p99"))
"""Pairs of which the first is never above the second, on the same runs."""

_LESS = "write less than the sum of the models' limits, or leave it out"

_DEFLATED = 1.001
"""zlib stores what it cannot shrink, in blocks with a few bytes before each (RFC 1950, 1951)."""


def check(file: BudgetFile) -> Iterator[Finding]:
    """Limits that nothing can break."""
    for model in file.budget.models:
        for limit in model.limits:
            if reason := _never(limit):
                yield at(limit.place, reason)
        yield from _implied(model)
    for group in file.budget.groups:
        yield from _summed(group, {model.name: model for model in file.budget.models})


def _never(limit: Limit) -> str:
    """Why the limit cannot be broken; empty when one of its bounds can."""
    reasons = list(_reasons(limit))
    return reasons[0] if reasons and all(reasons) else ""


def _reasons(limit: Limit) -> Iterator[str]:
    """Why each bound cannot be broken, or an empty text."""
    from pytest_edgebudget.lint.budgets._metrics import built_in, higher_is_better

    metric = built_in().get(limit.metric)
    if metric is None:
        return
    least, most = metric.extent
    if limit.min is not None:
        yield _floor(limit, least, metric.unit)
    if limit.max is not None:
        text = format_value(limit.max, metric.unit)
        yield f"never fails: no reading is above {text}" if limit.max >= most else ""
    shrinks = higher_is_better(metric) and least >= 0
    for name, room in (("max_drop", limit.max_drop), ("max_regression", limit.max_regression)):
        if room is not None:
            everything = shrinks and _everything(room)
            yield f"never fails: {name} allows to lose everything" if everything else ""


def _floor(limit: Limit, least: float, unit: Unit) -> str:
    assert limit.min is not None
    text = format_value(limit.min, unit)
    if limit.min <= least:
        return f"never fails: no reading is below {text}"
    if limit.metric == "auc" and limit.min <= 0.5:
        return f"says nothing: a model that throws a coin has 50 %, and {text} is asked for"
    return ""


def _everything(room: Tolerance) -> bool:
    """Whether a value in 0..1 may fall to 0."""
    return room.amount >= 1


def _implied(model: ModelBudget) -> Iterator[Finding]:
    """Limits that another one is always broken before."""
    limits = {limit.name: limit for limit in model.limits if _only_max(limit)}
    for lower, upper in _BELOW:
        if lower in limits and upper in limits and _max(limits, lower) >= _max(limits, upper):
            yield at(limits[lower].place, f"never fails while {upper} is kept: it is never above")
    if {"size", "download_size"} <= limits.keys():
        least = _max(limits, "size") * _DEFLATED + 64
        if _max(limits, "download_size") >= least:
            place = limits["download_size"].place
            yield at(place, "never fails while size is kept: compressing adds a few bytes at most")


def _summed(group: GroupBudget, models: dict[str, ModelBudget]) -> Iterator[Finding]:
    members = [models[name] for name in group.models if name in models]
    for limit in group.limits:
        single = [_largest(member, limit.metric) for member in members]
        if limit.max is not None and members and None not in single:
            total = sum(each for each in single if each is not None)
            if limit.max >= total:
                yield at(limit.place, _no_more(limit, total), instead=_LESS)


def _no_more(limit: Limit, total: float) -> str:
    from pytest_edgebudget.lint.budgets._metrics import built_in

    metric = built_in().get(limit.metric)
    together = f" {format_value(total, metric.unit)}" if metric else ""
    return f"never fails while the models keep their own limits: they allow{together} together"


def _largest(model: ModelBudget, metric: str) -> float | None:
    """The model's own maximum that fails, of that metric."""
    found = [each.max for each in model.limits if each.name == metric and each.level == "error"]
    return next((each for each in found if each is not None), None)


def _only_max(limit: Limit) -> bool:
    """Whether the limit is a maximum that counts, and nothing else."""
    others = (limit.min, limit.max_drop, limit.max_regression)
    return limit.max is not None and limit.level == "error" and others == (None, None, None)


def _max(limits: dict[str, Limit], name: str) -> float:
    return limits[name].max or 0.0


RULE = Rule(
    code="EB103",
    name="never-failing-limit",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
