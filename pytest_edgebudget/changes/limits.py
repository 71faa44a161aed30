"""One broken limit: what changed since an earlier version of the model, and what would fix it."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.changes.account import Counted, Versions
from pytest_edgebudget.changes.fixes import Case, fixes
from pytest_edgebudget.changes.rows import changed_row
from pytest_edgebudget.changes.split import Setting
from pytest_edgebudget.data import load_data
from pytest_edgebudget.devices import Device
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.fit import Fit
from pytest_edgebudget.fit.space import Space
from pytest_edgebudget.graph import read
from pytest_edgebudget.lint.result import Reported
from pytest_edgebudget.lock import LockEntry
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.report.base import ChangedRow, FixRow
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, Better, Bound, Evidence, ModelBudget, Outcome, Verdict

REGRESSIONS = ("max_regression", "anchor")
WIDEST = 0.5
"""A tolerance beyond it is none."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """
    The version that a limit's artifact is compared with: *since* when, in words.

    *path* is None where the file is not at hand, and *reason* says so.
    """

    since: str
    path: Path | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """
    A broken limit of *fit* on *device*.

    *calibrated*: whether its data has calibration samples; *findings*: what the linter
    says of its artifact; *earlier*: None where there is nothing to compare with.
    """

    verdict: Verdict
    metric: Metric
    fit: Fit
    device: Device
    passes: Mapping[str, Pass]
    calibrated: bool
    findings: Sequence[Reported] = ()
    earlier: Earlier | None = None


def broken_bound(verdict: Verdict) -> Bound | None:
    """The broken bound with the least headroom; one without a number comes first."""
    found = [bound for bound in verdict.bounds if bound.outcome is Outcome.BROKEN]
    return min(
        found, key=lambda b: -math.inf if math.isnan(b.headroom) else b.headroom, default=None
    )


def broken_kind(verdict: Verdict) -> str:
    """The kind of the bound that broke it."""
    bound = broken_bound(verdict)
    return bound.kind if bound else ""


def locked_artifact(entry: LockEntry | None, now: Artifact, store: Store) -> Earlier | None:
    """The lock's artifact, from the cache; None where there is none, or it is that of *now*."""
    if entry is None or entry.artifact == now.sha256:
        return None
    path = store.file(entry.artifact, now.path.suffix)
    missing = f"its artifact {entry.artifact[:12]} is not in the cache of this machine"
    return Earlier("the lock", path, "" if path else missing)


def calibrated(model: ModelBudget, root: Path, store: Store) -> bool:
    """Whether there are calibration samples, which some recipes need."""
    if model.data is None:
        return False
    return load_data(model.data, root=root, store=store).has("x_calibration")


def told(broken: Broken) -> tuple[ChangedRow | None, tuple[FixRow, ...]]:
    """What changed, and ranked fixes; nothing for a metric that layers say nothing about."""
    if broken.metric.better is not Better.LOWER or broken.fit.artifact.format == "keras":
        return None, ()
    setting = setting_of(broken.device, broken.fit.artifact.format)
    row, counted = _changed(broken, setting)
    return row, _fixes(broken, setting, counted)


def setting_of(device: Device, fmt: str) -> Setting | None:
    """What runs a model of that format there; None where nothing does."""
    choice = device.choice
    try:
        runtime = device.runtime_for(fmt)
    except EdgeBudgetError:
        return None
    return Setting(profile=choice.profile, runtime=runtime, threads=choice.threads)


@functools.lru_cache(maxsize=2)
def versions(before: Path, after: Path, setting: Setting | None) -> Versions:
    """Two files of a cache, whose names say what is in them: compared once for all limits."""
    return Versions(before, after, setting)


def changed(
    earlier: Earlier, after: Path, metric: str, setting: Setting | None
) -> tuple[ChangedRow | None, Counted | None]:
    """The difference of *metric* as a row, and as it was counted; None where nothing is told."""
    if earlier.path is None:
        return ChangedRow(since=earlier.since, reason=earlier.reason), None
    try:
        counted = versions(earlier.path, after, setting).counted(metric)
    except EdgeBudgetError as error:
        reason = error.message.splitlines()[0]
        return ChangedRow(since=earlier.since, reason=reason), None
    if counted is None:
        return None, None
    return changed_row(earlier.since, counted), counted


def _changed(broken: Broken, setting: Setting | None) -> tuple[ChangedRow | None, Counted | None]:
    if broken.earlier is None:
        return None, None
    path, metric = broken.fit.artifact.path, broken.verdict.limit.metric
    row, counted = changed(broken.earlier, path, metric, setting)
    if counted is not None and counted.found.total <= 0:
        return None, None  # it is no worse than it was: no change broke it
    return row, counted


def _fixes(broken: Broken, setting: Setting | None, counted: Counted | None) -> tuple[FixRow, ...]:
    reading, bound = broken.verdict.reading, broken_bound(broken.verdict)
    if reading is None or bound is None:
        return ()
    try:
        case = Case(
            metric=broken.verdict.limit.metric,
            value=reading.value,
            bound=None if math.isnan(bound.bound) else bound.bound,
            evidence=reading.evidence,
            artifact=read(broken.fit.artifact.path),
            setting=setting,
            space=_space(broken),
            tried=_tried(broken.fit),
            findings=broken.findings,
            counted=counted,
        )
        return (*fixes(case), *_wider(broken.verdict, bound))
    except EdgeBudgetError:
        return ()  # a source that no reader knows: there is nothing to predict from


def _tried(fit: Fit) -> frozenset[str]:
    """The recipes that were tried, and the passes of those that have several."""
    recipes = [trial.recipe for trial in fit.trials]
    return frozenset(
        [*map(str, recipes), *(str(step) for recipe in recipes for step in recipe.steps)]
    )


def _wider(verdict: Verdict, bound: Bound) -> Iterator[FixRow]:
    """The relative tolerance that would let in what was read."""
    limit, reading = verdict.limit, verdict.reading
    allowed = [each for each in (limit.max_regression, limit.min_change) if each]
    relative = all(each.relative for each in allowed)
    if bound.kind not in REGRESSIONS or not relative or reading is None or math.isnan(bound.bound):
        return
    base = bound.bound / (1 + max(each.amount for each in allowed))
    if base > 0 and math.isfinite(reading.high):
        band = reading.noisy and reading.evidence is not Evidence.ESTIMATED
        share = (reading.high if band else reading.value) / base - 1
        if share <= WIDEST:
            text = f'max_regression = "{math.ceil(1000 * share) / 10:g} %" would let it in'
            yield FixRow(kind="limit", text=text, enough="yes")


def _space(broken: Broken) -> Space | None:
    """The recipes for the source; None where a search looks at them all by itself."""
    if broken.fit.model.fit is not None or broken.fit.source.format == "keras":
        return None
    graph = read(broken.fit.source.path)
    return Space(graph, broken.device.choice, broken.passes, broken.calibrated)
