"""Fits and verdicts to rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from pytest_edgebudget.blame import Blame
from pytest_edgebudget.fit import Fit
from pytest_edgebudget.lock import LockEntry
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.pairs import mcnemar
from pytest_edgebudget.report.base import (
    BoundRow,
    DropRow,
    LayerRow,
    LimitRow,
    ModelRow,
    ReadingRow,
    TrialRow,
)
from pytest_edgebudget.types import (
    Bound,
    Layer,
    ModelBudget,
    Outcome,
    Reading,
    Trial,
    Unit,
    Verdict,
)
from pytest_edgebudget.units import format_value

TOP_LAYERS = 5


def limit_row(
    verdict: Verdict, metric: Metric, *, file: str, blame: Blame | None = None
) -> LimitRow:
    """One verdict as a row. *file* is the budget file as the user named it."""
    limit = verdict.limit
    shares = blame.layers if blame else ()
    return LimitRow(
        id=f"{file}::{verdict.model}::{limit.name}",
        file=file,
        model=verdict.model,
        metric=limit.name,
        unit=metric.unit.value,
        better=metric.better.value,
        outcome=verdict.outcome.value,
        status=status(verdict),
        fails=verdict.fails,
        line=limit.place.line,
        where=f"{limit.place.file}:{limit.place.line}",
        after=_reading(verdict.reading),
        before=_reading(verdict.before),
        bounds=tuple(_bound(bound) for bound in verdict.bounds),
        reason=verdict.reason,
        note=_notes(verdict),
        waiver=verdict.waiver_note,
        layers=tuple(_layer(layer) for layer in shares[:TOP_LAYERS]),
        layers_of=blame.of if blame else "",
        layers_unit=blame.unit.value if blame else "",
        layers_total=float(sum(layer.value for layer in shares)),
        drop=_drop(verdict),
    )


def _drop(verdict: Verdict) -> DropRow | None:
    """The drop that a limit with ``max_drop`` was compared by."""
    drop = verdict.reading.drop if verdict.reading else None
    if drop is None or verdict.limit.max_drop is None:
        return None
    counted = drop.worse is not None and drop.better is not None
    return DropRow(
        value=float(drop.value),
        low=float(drop.low),
        high=float(drop.high),
        confidence=drop.confidence,
        samples=drop.samples,
        method="exact" if drop.exact else "bootstrap",
        worse=drop.worse,
        better=drop.better,
        p=mcnemar(drop.worse or 0, drop.better or 0) if counted else None,
        worse_at=drop.worse_at,
        better_at=drop.better_at,
        needed=next((b.needed for b in verdict.bounds if b.needed is not None), None),
    )


def status(verdict: Verdict) -> str:
    """The word that a reader sees for a verdict."""
    if verdict.fails or verdict.outcome in (Outcome.KEPT, Outcome.UNDECIDED):
        return verdict.outcome.value
    if verdict.outcome is Outcome.UNMEASURED:
        return "skipped" if verdict.limit.when_missing == "skip" else "warned"
    return "warned" if verdict.limit.level == "warn" else "waived"


def model_row(
    fit: Fit,
    metrics: Mapping[str, Metric],
    *,
    file: str,
    lock: LockEntry | None = None,
    recipes: tuple[str, ...] = (),
) -> ModelRow:
    """One fitted model as a row; *recipes* are those that its device gains by."""
    units = units_of(fit.model, metrics)
    return ModelRow(
        file=file,
        name=fit.model.name,
        recipe=str(fit.artifact.recipe),
        artifact=str(fit.artifact.path),
        sha256=fit.artifact.sha256,
        size=fit.artifact.size,
        source_sha256=fit.source.sha256,
        selected_on=fit.selected_on,
        trials=tuple(trial_row(trial, units) for trial in fit.trials),
        fits=fit.kept,
        external=tuple(
            path.relative_to(fit.artifact.path.parent).as_posix() for path in fit.artifact.external
        ),
        notes=(*fit.artifact.notes, *_differing(fit, lock), *_control(fit, units)),
        recipes=recipes,
        infeasible=fit.infeasible,
        source=str(fit.source.path),
        data=str(fit.data.path) if fit.data else "",
    )


def _differing(fit: Fit, lock: LockEntry | None) -> Iterator[str]:
    """The same recipe may become other bytes: other libraries, or another source."""
    if lock and lock.recipe == str(fit.artifact.recipe) and lock.artifact != fit.artifact.sha256:
        yield "not the bytes of the lock; --edge-budget-update locks these"


def _control(fit: Fit, units: Mapping[str, str]) -> Iterator[str]:
    """What a float model reaches that was trained as long: not the recipe's merit."""
    if fit.control is None:
        return
    found = fit.control.readings.items()
    values = [f"{name} {format_value(r.value, Unit(units[name]))}" for name, r in found]
    if values:
        yield f"float, trained as long ({fit.control.recipe}): {', '.join(values)}"


def units_of(model: ModelBudget, metrics: Mapping[str, Metric]) -> dict[str, str]:
    """The units of what is read of a model's candidates, by the name of the reading."""
    units = {
        limit.name: (metrics[limit.metric].unit if limit.metric in metrics else Unit.NUMBER).value
        for limit in model.limits  # a metric of the user's own is a plain number
    }
    goal = model.fit.objective if model.fit else ""
    return {goal: metrics[goal].unit.value, **units} if goal in metrics else units


def trial_row(trial: Trial, units: Mapping[str, str]) -> TrialRow:
    """One candidate as a row."""
    return TrialRow(
        recipe=str(trial.recipe),
        state=trial.state,
        readings={name: float(reading.value) for name, reading in trial.readings.items()},
        units=dict(units),
        binding=trial.binding,
        reason=trial.reason,
        seconds=trial.seconds,
        from_lock=trial.from_lock,
    )


def _reading(reading: Reading | None) -> ReadingRow | None:
    if reading is None:
        return None
    return ReadingRow(
        value=float(reading.value),
        low=float(reading.low),
        high=float(reading.high),
        evidence=reading.evidence.value,
        noisy=reading.noisy,
        key=dict(reading.key),
        note=reading.note,
    )


def _bound(bound: Bound) -> BoundRow:
    return BoundRow(
        kind=bound.kind,
        bound=_finite(bound.bound),
        headroom=_finite(bound.headroom),
        outcome=bound.outcome.value,
        reason=bound.reason,
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _notes(verdict: Verdict) -> str:
    note = verdict.reading.note if verdict.reading else ""
    return "; ".join(part for part in (verdict.waiver_note, note) if part)


def _layer(layer: Layer) -> LayerRow:
    return LayerRow(name=layer.name, kind=layer.kind, value=float(layer.value))
