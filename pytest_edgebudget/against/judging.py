"""Limits judged against the past: time by a ratio of its own, all else by its reading then."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from pytest_edgebudget import verdict as verdicts
from pytest_edgebudget.against.base import BaseModel, NoBase, Past
from pytest_edgebudget.against.deciding import Ratio, compare, of_worker
from pytest_edgebudget.against.racing import Race
from pytest_edgebudget.against.tree import Reference, export, resolve
from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.base import CannotTell, Samples
from pytest_edgebudget.devices.host import HostDevice
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import EdgeBudgetError, ModelError
from pytest_edgebudget.fit import Fit
from pytest_edgebudget.measure import Wanted, measure
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.report.base import AgainstRow
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import (
    Bound,
    Budget,
    Evidence,
    Limit,
    Missing,
    Outcome,
    Reading,
    Verdict,
)

TIMED = "latency"
"""The metric that is judged by a ratio: percentiles of two models have none that is as sure."""


@dataclass(slots=True)
class Against:
    """
    The past of one run: checked out on first use, gone when it is closed.

    *text* is ``git:REF`` as the user wrote it.
    """

    text: str
    root: Path
    registry: Registry
    store: Callable[[], Store]
    say: Callable[[str], None]
    today: date
    _reference: Reference | None = None
    _past: Past | NoBase | None = None
    _bases: dict[tuple[Path, str], BaseModel | NoBase] = field(default_factory=dict)
    _ratios: dict[tuple[Path, str, float], Ratio] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def check(self) -> None:
        """Whether the reference is one. Raises `EdgeBudgetError`."""
        self._reference = resolve(self.text, self.root)

    def close(self) -> None:
        """Remove what was checked out."""
        self._past = None
        self._open.close()

    def bound(
        self, verdict: Verdict, metric: Metric, budget: Budget, fit: Fit, device: Device
    ) -> tuple[Bound, AgainstRow]:
        """The regression since then: a bound of *verdict*'s limit, and what was compared."""
        reference = self._resolved()
        try:
            base = self._base(budget, fit, device)
            if verdict.limit.metric == TIMED:
                return self._time(verdict.limit, base, budget, fit, device)
            return self._value(verdict, metric, base, device)
        except (NoBase, CannotTell, ModelError) as error:
            reason = error.message.splitlines()[0]
            row = AgainstRow(ref=reference.shown, outcome="unmeasured", text=reason)
            return _unmeasured(reason), row

    def artifact(self, budget: Budget, fit: Fit, device: Device) -> tuple[str, Path] | None:
        """What the past is called, and the model's file then; None where there is none."""
        try:
            shown = self._resolved().shown
            return shown, self._base(budget, fit, device).artifact.path
        except EdgeBudgetError:
            return None  # the bound says why

    def _resolved(self) -> Reference:
        if self._reference is None:
            self._reference = resolve(self.text, self.root)
        return self._reference

    # --- the past ----------------------------------------------------------------

    def _base(self, budget: Budget, fit: Fit, device: Device) -> BaseModel:
        key = budget.path, fit.model.name
        if key not in self._bases:
            try:
                file = budget.path.relative_to(self.root).as_posix()
                self._bases[key] = self._checked_out().model(file, fit, device)
            except NoBase as error:
                self._bases[key] = error
            except ValueError:
                self._bases[key] = NoBase(f"{budget.path} lies outside of the project")
        found = self._bases[key]
        if isinstance(found, NoBase):
            raise found
        return found

    def _checked_out(self) -> Past:
        reference = self._resolved()
        if self._past is None:
            folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="edgebudget-"))
            try:
                export(reference, Path(folder))
                inside = self.root.resolve().relative_to(reference.top.resolve())
                self._past = Past(
                    root=Path(folder) / inside, now=self.root, shown=reference.shown,
                    registry=self.registry, store=self.store(), say=self.say,
                )  # fmt: skip
            except EdgeBudgetError as error:
                self._past = NoBase(error.message)
        if isinstance(self._past, NoBase):
            raise self._past
        return self._past

    # --- time --------------------------------------------------------------------

    def _time(
        self, limit: Limit, base: BaseModel, budget: Budget, fit: Fit, device: Device
    ) -> tuple[Bound, AgainstRow]:
        now, then = fit.artifact.runs_as.suffix, base.artifact.runs_as.suffix
        if now != then:
            raise NoBase(f"a {then} model then, a {now} model now: two runtimes have no ratio")
        host, allowed = here(device, fit.artifact.format), _allowed(limit)
        if fit.artifact.sha256 == base.artifact.sha256:
            return _same(allowed, self._resolved())
        race = Race(
            device=host, base=base.artifact.runs_as, new=fit.artifact.runs_as, samples=_sample(base)
        )
        key = budget.path, fit.model.name, allowed
        if key not in self._ratios:
            self.say(f"{fit.model.name}: {fit.artifact.recipe}: timing against {self.text}")
            with host.quiet():
                self._ratios[key] = _raced(race, allowed)
        ratio, reference = self._ratios[key], self._resolved()
        evidence = host.evidence(Race).value
        text = _told(ratio, allowed, reference, evidence, device.choice.profile.name)
        bound = Bound(
            kind="max_regression", bound=math.nan, headroom=(allowed - ratio.value) / allowed,
            outcome=Outcome(ratio.outcome), upper=True,
            reason="" if ratio.outcome == "kept" else text,
        )  # fmt: skip
        row = AgainstRow(
            ref=reference.shown, outcome=ratio.outcome, text=text, ratio=ratio.value, low=ratio.low,
            high=ratio.high, limit=allowed, evidence=evidence, workers=ratio.workers,
        )  # fmt: skip
        return bound, row

    # --- everything else ---------------------------------------------------------

    def _value(
        self, verdict: Verdict, metric: Metric, base: BaseModel, device: Device
    ) -> tuple[Bound, AgainstRow]:
        limit, reference = verdict.limit, self._resolved()
        then = self._then(limit, metric, base, device)
        case = verdicts.Case(
            limit=replace(limit, ratchet=False),
            better=metric.better,
            reading=verdict.reading or Missing(limit.name, verdict.reason),
            before=verdict.before,
            locked=then,
        )
        judged = verdicts.judge(case, model=verdict.model, today=self.today)
        found = [bound for bound in judged.bounds if bound.kind == "max_regression"]
        bound = found[0] if found else _unmeasured(judged.reason)
        reason = bound.reason.replace("the lock", reference.shown)
        row = AgainstRow(
            ref=reference.shown, outcome=bound.outcome.value, text=reason, before=then.value
        )
        return replace(bound, reason=reason), row

    def _then(self, limit: Limit, metric: Metric, base: BaseModel, device: Device) -> Reading:
        options = {**metric.defaults(), **dict(limit.options)}
        if limit.confidence is not None:
            options["confidence"] = limit.confidence
        found = measure(
            base.artifact, [Wanted(limit.name, metric, options)],
            device=device, data=base.data, split="test", source=base.source,
            state=base.model.state, store=self.store(), root=self._checked_out().root,
        )  # fmt: skip
        if limit.name in found.readings:
            return found.readings[limit.name]
        missing = found.missing.get(limit.name)
        raise NoBase(f"{self._resolved().shown}: {missing.reason if missing else 'not measured'}")


def _same(allowed: float, reference: Reference) -> tuple[Bound, AgainstRow]:
    """The same bytes, run by the same runtime: a ratio of 1 that nobody has to time."""
    bound = Bound(
        kind="max_regression", bound=math.nan, headroom=(allowed - 1) / allowed,
        outcome=Outcome.KEPT, upper=True,
    )  # fmt: skip
    row = AgainstRow(
        ref=reference.shown, outcome=Outcome.KEPT.value, limit=allowed, ratio=1.0, low=1.0,
        high=1.0, evidence=Evidence.EXACT.value,
        text=f"the same file as in {reference.shown}: nothing had to be timed",
    )  # fmt: skip
    return bound, row


def _unmeasured(reason: str) -> Bound:
    return Bound(
        kind="max_regression",
        bound=math.nan,
        headroom=math.nan,
        outcome=Outcome.UNMEASURED,
        reason=reason,
    )


def _raced(race: Race, allowed: float) -> Ratio:
    return compare(lambda number: of_worker(race.worker(number, seed=0)), allowed)


def here(device: Device, fmt: str) -> HostDevice:
    """The machine at hand with the device's runtimes, to time both models on."""
    choice = device.choice
    names = [name for name in choice.runtimes if fmt in RUNTIMES[name].formats]
    if not names or all(RUNTIMES[name].micro for name in names):
        raise CannotTell(
            f"no runtime of {choice.profile.name} times a .{fmt} model on this machine"
        )
    if choice.beside:
        raise CannotTell(f"a ratio on the CPU says nothing about {choice.beside}")
    if type(device) is HostDevice:
        return device
    return HostDevice(replace(choice, run="host", python=None, delegate=None, provider=None))


def _sample(base: BaseModel) -> Samples | None:
    """The first sample of then: an input of another shape now stays zeros."""
    if base.data is None or not base.data.has("x_test"):
        return None
    return Samples(path=base.data.path, split="test", first=1)


def _allowed(limit: Limit) -> float:
    """The largest ratio: beyond the regression and the least change that counts, both."""
    tolerances = [each for each in (limit.max_regression, limit.min_change) if each]
    if any(not each.relative for each in tolerances):
        raise CannotTell("a ratio is compared with a percentage: write max_regression in %")
    return 1 + max(each.amount for each in tolerances)


def _told(ratio: Ratio, allowed: float, reference: Reference, evidence: str, profile: str) -> str:
    where = "" if evidence == Evidence.MEASURED else f", not on {profile}"
    again = ", repeated" if ratio.repeated else ""
    return (
        f"{ratio.value:.3f} times {reference.shown} ({ratio.low:.3f} - {ratio.high:.3f}), "
        f"at most {allowed:g}; {evidence}: timed here in turns{where}, "
        f"{ratio.workers} workers{again}"
    )
