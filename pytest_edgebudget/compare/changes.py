"""Two runs to what changed: one row a limit, never a silent comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_edgebudget.report.base import ChangedRow, LimitRow, ReadingRow, Run
from pytest_edgebudget.types import Evidence, Reading
from pytest_edgebudget.verdict import incomparable

Name = tuple[str, str, str]
"""Budget file, model, limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    One limit in two runs.

    Attributes:
        file, model, metric: which limit.
        unit, better: of its metric.
        before, after: the readings, where there are any.
        before_status, after_status: the verdicts; "" where the run has no such limit.
        recipes: of both artifacts.
        change: *after* less *before*, in the unit; None where they cannot be compared.
        verdict: same, better, worse, "within noise" (the intervals of noisy
            readings overlap, and no ratio of both models broke its limit),
            unmeasured, added, removed.
        reason: why it is unmeasured; the ratio that made it worse.
        layers: which layers made it worse; None where nothing tells.
    """

    file: str
    model: str
    metric: str
    unit: str
    better: str
    before: ReadingRow | None
    after: ReadingRow | None
    before_status: str
    after_status: str
    recipes: tuple[str, str]
    change: float | None
    verdict: str
    reason: str = ""
    layers: ChangedRow | None = None

    @property
    def share(self) -> float | None:
        """The change as a share of what was there before."""
        if self.change is None or self.before is None or not self.before.value:
            return None
        return self.change / abs(self.before.value)


def changes(before: Run, after: Run) -> tuple[Change, ...]:
    """Every limit of both runs, in the order of *after*, then those that are gone."""
    old, new = ({_name(row): row for row in run.limits} for run in (before, after))
    gone = [name for name in old if name not in new]
    return tuple(
        _change(name, old.get(name), new.get(name), before, after) for name in [*new, *gone]
    )


def _name(row: LimitRow) -> Name:
    return row.file, row.model, row.metric


def _change(
    name: Name, old: LimitRow | None, new: LimitRow | None, before: Run, after: Run
) -> Change:
    row = new or old
    assert row is not None
    first, second = (each.after if each else None for each in (old, new))
    difference, verdict, reason = _judge(old, new)
    return Change(
        file=name[0],
        model=name[1],
        metric=name[2],
        unit=row.unit,
        better=row.better,
        before=first,
        after=second,
        before_status=old.status if old else "",
        after_status=new.status if new else "",
        recipes=(_recipe(before, name), _recipe(after, name)),
        change=difference,
        verdict=verdict,
        reason=reason,
    )


def _recipe(run: Run, name: Name) -> str:
    model = run.model(name[0], name[1])
    return model.recipe if model else ""


def _judge(old: LimitRow | None, new: LimitRow | None) -> tuple[float | None, str, str]:
    """The difference, the verdict on it, and the reason where there is none."""
    if old is None:
        return None, "added", "the first run has no such limit"
    if new is None:
        return None, "removed", "the second run has no such limit"
    if why := _unreadable(old, new):
        return None, "unmeasured", why
    assert old.after is not None
    assert new.after is not None
    if why := incomparable(_reading(new), _reading(old)):
        return None, "unmeasured", f"not comparable: {why}"
    difference = new.after.value - old.after.value
    verdict = _verdict(old.after, new.after, lower=new.better == "lower")
    if verdict == "within noise" and _ratio_broke(new) and not _ratio_broke(old):
        assert new.against is not None
        return difference, "worse", new.against.text
    return difference, verdict, ""


def _ratio_broke(row: LimitRow) -> bool:
    """Whether both models were timed in turns, which tells what two readings cannot."""
    return bool(row.against and row.against.ratio and row.against.outcome == "broken")


def _unreadable(old: LimitRow, new: LimitRow) -> str:
    if (old.unit, old.better) != (new.unit, new.better):
        return f"not comparable: {old.unit}, {old.better} is better then; {new.unit}, {new.better}"
    for which, row in (("first", old), ("second", new)):
        if row.after is None:
            return f"no reading in the {which} run" + (f": {row.reason}" if row.reason else "")
        if not all(map(_finite, (row.after.value, row.after.low, row.after.high))):
            return f"the reading of the {which} run is not finite"
    return ""


def _finite(number: float | None) -> bool:
    return number is not None and math.isfinite(number)


def _reading(row: LimitRow) -> Reading:
    assert row.after is not None
    return Reading(
        metric=row.metric,
        value=row.after.value,
        low=row.after.low,
        high=row.after.high,
        evidence=Evidence(row.after.evidence),
        noisy=row.after.noisy,
        key=tuple(sorted(row.after.key.items())),
    )


def _verdict(old: ReadingRow, new: ReadingRow, *, lower: bool) -> str:
    if new.value == old.value:
        return "same"
    overlap = new.low <= old.high and old.low <= new.high
    if overlap and (old.noisy or new.noisy):
        return "within noise"
    return "better" if (new.value < old.value) is lower else "worse"
