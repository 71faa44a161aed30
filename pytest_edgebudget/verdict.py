"""
Readings and limits to verdicts: pure functions, no I/O, no clock of its own.

A noisy reading is judged by its interval: a bound inside low..high leaves the
limit undecided. A reading that is not noisy is judged by its value, unless the
limit asks for a confidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date

from pytest_edgebudget import pairs
from pytest_edgebudget.types import (
    Better,
    Bound,
    Drop,
    Evidence,
    Limit,
    Missing,
    Outcome,
    Reading,
    Verdict,
    Waiver,
)

WORST_FIRST = (Outcome.BROKEN, Outcome.UNMEASURED, Outcome.UNDECIDED, Outcome.KEPT)

# One point less than 0.5006 is 0.49060000000000004 in floating point, and a
# reading of 0.4906 keeps it: bounds are compared with this relative slack.
SLACK = 1e-9

# Facts of a reading that say where it was taken, not what was compared. The
# result of a computation may be compared across machines, a physical one not.
MACHINE = frozenset({"cpu", "machine"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One limit with everything that its verdict depends on.

    *better* is the metric's direction; *reading* is the artifact's (or why
    there is none), *before* the source model's on the same samples, *locked*
    the lock's. *relock*: the lock is being rewritten, so it is no baseline.
    """

    limit: Limit
    better: Better
    reading: Reading | Missing
    before: Reading | Missing | None = None
    locked: Reading | None = None
    waiver: Waiver | None = None
    relock: bool = False


def judge(case: Case, *, model: str, today: date, strict: bool = False) -> Verdict:
    """Judge one limit. *strict* makes an undecided limit fail."""
    limit, reading = case.limit, case.reading
    if isinstance(reading, Missing):
        return _unmeasured(case, model, reading.reason)
    if reading.evidence not in limit.evidence:
        return _unmeasured(case, model, _refused(reading.evidence, limit), reading)
    if any(math.isnan(number) for number in (reading.value, reading.low, reading.high)):
        return _unmeasured(case, model, "the reading is not a number (NaN)", reading)
    bounds = tuple(_bounds(case, reading))
    outcome = min((bound.outcome for bound in bounds), key=WORST_FIRST.index, default=Outcome.KEPT)
    waived, note = _waiver(case.waiver, outcome, today)
    return Verdict(
        model=model,
        limit=limit,
        outcome=outcome,
        fails=any(_fails(limit, bound.outcome, strict) for bound in bounds) and not waived,
        bounds=bounds,
        reading=reading,
        before=_reading(case.before),
        reason="; ".join(bound.reason for bound in bounds if bound.reason),
        waiver=case.waiver,
        waiver_note=note,
    )


def with_bound(verdict: Verdict, bound: Bound, *, today: date, strict: bool = False) -> Verdict:
    """
    *verdict* with one more bound, which was judged elsewhere.

    Where no other bound was asked for, a reading that is missing is no reason
    to be unmeasured.
    """
    limit, bounds = verdict.limit, (*verdict.bounds, bound)
    alone = limit.max is None and limit.min is None and limit.max_drop is None
    unread = not verdict.bounds and verdict.outcome is Outcome.UNMEASURED and not alone
    outcomes = [each.outcome for each in bounds] + [Outcome.UNMEASURED] * unread
    outcome = min(outcomes, key=WORST_FIRST.index)
    waived, note = _waiver(verdict.waiver, outcome, today)
    reasons = [verdict.reason if not alone else "", bound.reason]
    return replace(
        verdict,
        outcome=outcome,
        fails=any(_fails(limit, each, strict) for each in outcomes) and not waived,
        bounds=bounds,
        reason="; ".join(reason for reason in reasons if reason),
        waiver_note=note,
    )


def surely_broken(verdict: Verdict) -> bool:
    """
    Whether a candidate is rejected for it.

    Undecided or unmeasured limits never reject, nor do warnings and waivers.
    """
    return verdict.outcome is Outcome.BROKEN and verdict.fails


def excess(verdict: Verdict) -> float:
    """
    How far the worst bound is missed, as the log of the ratio; 0 when none is.

    A share of the bound would count a size of twice the limit as worse than an
    accuracy of nothing, which misses its floor by 100 % at most.
    """
    broken = [_miss(bound) for bound in verdict.bounds if bound.outcome is Outcome.BROKEN]
    return max(broken, default=0.0)


def _miss(bound: Bound) -> float:
    share = -bound.headroom  # of the bound: positive, the reading lies beyond it
    ratio = 1 + share if bound.upper else 1 - share
    return abs(math.log(ratio)) if ratio > 0 else math.inf


def _bounds(case: Case, reading: Reading) -> list[Bound]:
    limit, lower = case.limit, case.better is Better.LOWER
    found = []
    if limit.max is not None:
        found.append(_upper("max", limit.max, reading, limit))
    if limit.min is not None:
        found.append(_lower("min", limit.min, reading, limit))
    if limit.max_drop is not None:
        found.append(_drop(case, reading, lower=lower))
    if limit.max_regression is not None and not case.relock:
        found.append(_regression(case, reading, lower=lower))
    if limit.ratchet:
        found += _ratchet(case, reading, lower=lower)
    return found


def _drop(case: Case, reading: Reading, *, lower: bool) -> Bound:
    before, drop = case.before, case.limit.max_drop
    assert drop is not None
    if not isinstance(before, Reading):
        why = before.reason if isinstance(before, Missing) else "the source model was not measured"
        return _unknown("max_drop", why)
    if not math.isfinite(before.value):
        return _unknown("max_drop", f"the source model's reading is {before.value}")
    room = drop.of(before.value)
    if case.limit.confidence is not None and reading.drop is not None:
        return _paired(reading.drop, before.value, room, lower=lower)
    return _worse("max_drop", before.value, room, reading, case.limit, lower=lower)


def _paired(drop: Drop, before: float, room: float, *, lower: bool) -> Bound:
    """The interval of the drop, sample by sample, against the *room* that it has."""
    base = before + room if lower else before - room
    kept, broken = not _over(drop.high, room), _over(drop.low, room)
    bound = _bound("max_drop", base, room - drop.value, kept=kept, broken=broken)
    needed = None if kept or broken else _needed(drop, room)
    return replace(bound, upper=lower, needed=needed)


def _over(drop: float, room: float) -> bool:
    # A drop of nothing keeps a limit of nothing, whatever floating point made of either.
    return drop > room and not math.isclose(drop, room, rel_tol=SLACK, abs_tol=SLACK * SLACK)


def _needed(drop: Drop, room: float) -> int | None:
    """About how many samples would clear the interval of the bound, at the same drop."""
    return pairs.samples_needed(lambda count: _with(drop, count), room, drop.samples)


def _with(drop: Drop, count: float) -> tuple[float, float]:
    """The interval of the same drop, had there been *count* samples."""
    share = count / drop.samples
    if drop.worse is not None and drop.better is not None:
        worse, better = drop.worse * share, drop.better * share
        return pairs.share_drop(worse, better, count, drop.confidence)
    narrower = math.sqrt(share)  # a mean's interval: Efron, Tibshirani, ch. 6
    return (
        drop.value + (drop.low - drop.value) / narrower,
        drop.value + (drop.high - drop.value) / narrower,
    )


def _regression(case: Case, reading: Reading, *, lower: bool) -> Bound:
    locked, regression = case.locked, case.limit.max_regression
    assert regression is not None
    if locked is None:
        return _unknown(
            "max_regression",
            "the lock has no reading; check --update or --edge-budget-update writes it",
        )
    if not math.isfinite(locked.value):
        return _unknown("max_regression", f"the lock's reading is {locked.value}")
    if differing := incomparable(reading, locked):
        return _unknown("max_regression", f"not comparable with the lock: {differing}")
    if reading.evidence is Evidence.ESTIMATED and math.isfinite(reading.high):
        # One estimator erred on both alike: its band is no part of the difference.
        reading = replace(reading, low=reading.value, high=reading.value)
    change = case.limit.min_change
    room = max(regression.of(locked.value), change.of(locked.value) if change else 0.0)
    return _worse("max_regression", locked.value, room, reading, case.limit, lower=lower)


def _ratchet(case: Case, reading: Reading, *, lower: bool) -> list[Bound]:
    """
    No worse than the worse end of the lock's reading, so that luck does not become the bar.

    Holds while the lock is rewritten, too; only what cannot be compared is written anew.
    """
    locked = case.locked
    if locked is None:
        why = "the lock has no reading; check --update or --edge-budget-update writes it"
        return [] if case.relock else [_unknown("ratchet", why)]
    if differing := incomparable(reading, locked):
        return [] if case.relock else [_unknown("ratchet", f"not comparable: {differing}")]
    bar = locked.high if lower else locked.low
    room = case.limit.min_change.of(locked.value) if case.limit.min_change else 0.0
    bound = _worse("ratchet", bar, room, reading, case.limit, lower=lower)
    inside = bound.outcome is Outcome.UNDECIDED and bound.headroom >= 0
    return [replace(bound, outcome=Outcome.KEPT) if inside else bound]


def incomparable(reading: Reading, other: Reading) -> str:
    """What forbids comparing the two, in words; empty when nothing does."""
    ignored = frozenset() if reading.noisy else MACHINE
    mine, theirs = dict(reading.key), dict(other.key)
    names = sorted((mine.keys() | theirs.keys()) - ignored)
    words = [
        f"{name} {theirs.get(name, 'unknown')} then, {mine.get(name, 'unknown')} now"
        for name in names
        if mine.get(name) != theirs.get(name)
    ]
    if reading.evidence is not other.evidence:
        words.append(f"{other.evidence.value} then, {reading.evidence.value} now")
    return ", ".join(words)


def _worse(
    kind: str, base: float, room: float, reading: Reading, limit: Limit, *, lower: bool
) -> Bound:
    if lower:
        return _upper(kind, base + room, reading, limit)
    return _lower(kind, base - room, reading, limit)


def _upper(kind: str, bound: float, reading: Reading, limit: Limit) -> Bound:
    low, high = _interval(reading, limit)
    kept, broken = not _above(high, bound), _above(low, bound)
    return replace(_bound(kind, bound, bound - reading.value, kept=kept, broken=broken), upper=True)


def _lower(kind: str, bound: float, reading: Reading, limit: Limit) -> Bound:
    low, high = _interval(reading, limit)
    kept, broken = not _above(bound, low), _above(bound, high)
    return _bound(kind, bound, reading.value - bound, kept=kept, broken=broken)


def _above(value: float, bound: float) -> bool:
    return value > bound and not math.isclose(value, bound, rel_tol=SLACK)


def _bound(kind: str, bound: float, room: float, *, kept: bool, broken: bool) -> Bound:
    outcome = Outcome.BROKEN if broken else Outcome.KEPT if kept else Outcome.UNDECIDED
    headroom = room / abs(bound) if bound else math.copysign(math.inf, room) if room else 0.0
    return Bound(kind=kind, bound=bound, headroom=headroom, outcome=outcome)


def _unknown(kind: str, reason: str) -> Bound:
    return Bound(
        kind=kind, bound=math.nan, headroom=math.nan, outcome=Outcome.UNMEASURED, reason=reason
    )


def _interval(reading: Reading, limit: Limit) -> tuple[float, float]:
    if reading.noisy or limit.confidence is not None:
        return reading.low, reading.high
    return reading.value, reading.value


def _refused(evidence: Evidence, limit: Limit) -> str:
    accepted = ", ".join(e.value for e in limit.evidence)
    return f"the reading is {evidence.value}; this limit accepts {accepted}"


def _unmeasured(case: Case, model: str, reason: str, reading: Reading | None = None) -> Verdict:
    limit = case.limit
    return Verdict(
        model=model,
        limit=limit,
        outcome=Outcome.UNMEASURED,
        fails=_fails(limit, Outcome.UNMEASURED, strict=False),
        reading=reading,
        before=_reading(case.before),
        reason=reason,
        waiver=case.waiver,
    )


def _fails(limit: Limit, outcome: Outcome, strict: bool) -> bool:
    if limit.level == "warn" or outcome is Outcome.KEPT:
        return False
    if outcome is Outcome.UNDECIDED:
        return strict or limit.undecided == "fail"
    return outcome is Outcome.BROKEN or limit.when_missing == "fail"


def _reading(value: Reading | Missing | None) -> Reading | None:
    return value if isinstance(value, Reading) else None


def _waiver(waiver: Waiver | None, outcome: Outcome, today: date) -> tuple[bool, str]:
    if waiver is None:
        return False, ""
    if outcome not in (Outcome.BROKEN, Outcome.UNDECIDED):
        return False, "the waiver is not needed: remove it"
    if waiver.until < today:
        return False, f"the waiver expired on {waiver.until}: {waiver.reason}"
    return True, f"waived until {waiver.until}: {waiver.reason}"
