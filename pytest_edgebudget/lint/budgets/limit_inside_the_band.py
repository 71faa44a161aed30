"""
A limit of an estimated time or energy is tighter than the estimate can decide.

What it finds
    Maxima of ``latency`` and ``energy`` that lie inside the 80 % band of the estimate, where the
    device does not measure them: of the candidate that the lock holds, else of the source model
    where that may be chosen as it is.

Why it hurts
    Every run is undecided: it passes whatever the limit says, and a model that became slower
    passes too. With ``undecided = "fail"`` it fails as surely.

Example
    ::

        [device]
        profile = "raspberry-pi-4"      # no board: estimated

        [models.keywords.budget]
        latency = "13 ms"               # the estimate is 12.4 ms (9.8 ms - 15.7 ms)

Instead
    Take a limit above the band, which keeps its word, and hold on to what was reached (both
    readings come from one estimator, so that a regression is told without the band)::

        latency = { max = "16 ms", max_regression = "5 %" }

    Or measure on the board: ``run = "ssh://user@board"``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import Evidence, Limit, ModelBudget

if TYPE_CHECKING:
    from pytest_edgebudget.devices import Device
    from pytest_edgebudget.lock import Lock
    from pytest_edgebudget.metrics.base import Metric


def check(file: BudgetFile) -> Iterator[Finding]:
    """Limits that only a measurement decides."""
    from pytest_edgebudget.devices import open_device
    from pytest_edgebudget.errors import EdgeBudgetError
    from pytest_edgebudget.lint.budgets._metrics import built_in
    from pytest_edgebudget.lock import read_lock

    try:
        device, lock = open_device(file.budget.device), read_lock(file.path)
    except EdgeBudgetError:
        return  # the run, or EB107, says what is wrong
    for model in file.budget.models:
        for limit in model.limits:
            metric = built_in().get(limit.metric)
            if metric is not None and _estimated(device, metric, limit):
                yield from _inside(device, metric, model, limit, lock)


def _estimated(device: Device, metric: Metric, limit: Limit) -> bool:
    """Whether the limit is one that an estimate would be judged by."""
    from pytest_edgebudget.measure.estimates import ESTIMATED
    from pytest_edgebudget.measure.gather import can_gather

    if (
        metric.needs not in ESTIMATED
        or limit.max is None
        or Evidence.ESTIMATED not in limit.evidence
    ):
        return False
    return bool(device.refusal(metric.needs) or can_gather(device, metric.needs))


def _inside(
    device: Device, metric: Metric, model: ModelBudget, limit: Limit, lock: Lock
) -> Iterator[Finding]:
    from pytest_edgebudget.units import format_value

    found = _locked(lock, model, limit) or _source(device, metric, model)
    assert limit.max is not None
    if found is None or not found[0] < limit.max < found[1]:
        return
    low, high = (format_value(end, metric.unit) for end in found[:2])
    wanted = format_value(limit.max, metric.unit)
    yield at(
        limit.place,
        f"{wanted} lies inside the estimate of {found[2]}, {low} - {high}: no run decides it",
        instead=f"{high} is surely kept, and less than {low} surely broken",
    )


def _locked(lock: Lock, model: ModelBudget, limit: Limit) -> tuple[float, float, str] | None:
    entry = lock.entries.get(model.name)
    reading = entry.readings.get(limit.name) if entry else None
    if entry is None or reading is None or reading.evidence is not Evidence.ESTIMATED:
        return None
    return reading.low, reading.high, f"the locked {entry.recipe}"


def _source(device: Device, metric: Metric, model: ModelBudget) -> tuple[float, float, str] | None:
    """The band of a source that may be chosen as it is; None where nothing is known of it."""
    from pytest_edgebudget.errors import EdgeBudgetError
    from pytest_edgebudget.measure.estimates import source_estimates

    if model.optimize and "none" not in map(str, model.optimize):
        return None
    try:
        found = source_estimates(device, model, metric.needs)
    except EdgeBudgetError:
        return None  # EB113 says that there is none
    return found.low, found.high, "the source model"


RULE = Rule(
    code="EB117",
    name="limit-inside-the-band",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
