"""Rows in words: the phrases that every report shares."""

from __future__ import annotations

import math

from pytest_edgebudget.pairs import MOST_SAMPLES
from pytest_edgebudget.report.base import (
    BoundRow,
    DropRow,
    FileRow,
    FindingRow,
    LimitRow,
    LintRow,
    ReadingRow,
)
from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import format_pair, format_value


def value(amount: float, unit: str) -> str:
    """An amount in the words of its unit."""
    return format_value(amount, Unit(unit))


def reading(row: ReadingRow | None, unit: str) -> str:
    """A reading with its interval where another run may read another value."""
    if row is None:
        return "-"
    text = value(row.value, unit)
    if row.noisy and not math.isfinite(row.high):
        return f"from {value(row.low, unit)}"
    if row.noisy and row.low != row.high:
        return f"{text} ({value(row.low, unit)} - {value(row.high, unit)})"
    return text


def against(row: LimitRow) -> str:
    """What a comparison with another version found; empty where there was none."""
    found = [each.text for each in (row.against, row.anchor) if each and each.text]
    return "; ".join(dict.fromkeys(found))


def drop(row: LimitRow) -> str:
    """
    How far the artifact fell behind the source model: with its interval, where it is judged.

    ``dropped by 1.11 pp (-0.52 to 2.91 pp at 95 %), of 360 samples 6 right -> wrong, 2 wrong ->
    right (McNemar p = 0.29); about 1,480 samples would decide``. Empty where none was compared.
    """
    found = row.drop
    undecided = any(b.kind == "max_drop" and b.outcome == "undecided" for b in row.bounds)
    if found is None or (not (undecided or _differs(found))):
        return ""
    parts = [f"dropped by {_difference(found.value, row.unit)} ({_interval(found, row.unit)})"]
    if found.worse is not None and found.better is not None and found.p is not None:
        parts.append(
            f" of {found.samples:,} samples {found.worse:,} right -> wrong, "
            f"{found.better:,} wrong -> right (McNemar p = {found.p:.2g})"
        )
    else:
        parts.append(f" {found.samples:,} samples, resampled in pairs")
    more = f"about {found.needed:,} samples would decide" if found.needed else ""
    more = more or f"more than {MOST_SAMPLES:,} samples would be needed"
    return ",".join(parts) + (f"; {more}" if undecided else "")


def _differs(found: DropRow) -> bool:
    if found.worse is None:
        return bool(found.low or found.high)
    return bool(found.worse or found.better)


def _interval(found: DropRow, unit: str) -> str:
    low, high = _difference(found.low, unit), _difference(found.high, unit)
    low = low.removesuffix(" pp")
    return f"{low} to {high} at {100 * found.confidence:g} %"


def _difference(amount: float, unit: str) -> str:
    return f"{100 * amount:.2f} pp" if unit == Unit.FRACTION else value(amount, unit)


def estimate(row: LimitRow) -> str:
    """What an estimate of a run was made from; empty for any other reading."""
    if row.after is None or row.after.evidence != "estimated":
        return ""
    return row.after.note if row.after.note.startswith("estimated: ") else ""


def upper(row: LimitRow, bound: BoundRow) -> bool:
    """Whether a bound is an upper one."""
    return bound.kind == "max" or (bound.kind != "min" and row.better == "lower")


def deciding(row: LimitRow) -> BoundRow | None:
    """The bound that decided: the worst outcome, then the least headroom."""
    order = ("broken", "unmeasured", "undecided", "kept")

    def rank(bound: BoundRow) -> tuple[int, float]:
        return order.index(bound.outcome), bound.headroom if bound.headroom is not None else 0.0

    return min(row.bounds, key=rank, default=None)


def limit(row: LimitRow, sides: tuple[str, str] = ("at most", "at least")) -> str:
    """The deciding bound: ``at most 48 KiB``."""
    bound = deciding(row)
    if bound is None or bound.bound is None:
        return _ratio_limit(row, bound, sides[0]) if bound else "-"
    side = sides[0] if upper(row, bound) else sides[1]
    kind = "" if bound.kind in ("max", "min") else f" {bound.kind.removeprefix('max_')}"
    return f"{side} {value(bound.bound, row.unit)}{kind}"


def _ratio_limit(row: LimitRow, bound: BoundRow, side: str) -> str:
    """``at most 1.05 x git:main (1a2b3c4d)``: a bound that is no quantity of the metric's."""
    found = row.anchor if bound.kind == "anchor" else row.against
    return f"{side} {found.limit:g} x {found.ref}" if found and found.limit else "-"


def headroom(row: LimitRow) -> str:
    """How far the reading is from its deciding bound."""
    bound = deciding(row)
    if bound is not None and bound.bound is None and bound.headroom is not None:
        return f"{_signed(100 * bound.headroom, 1)} %"
    if bound is None or bound.bound is None or row.after is None:
        return "-"
    room = bound.bound - row.after.value
    room = room if upper(row, bound) else -room
    if row.unit == Unit.FRACTION:
        return f"{_signed(100 * room, 2)} pp"
    if bound.headroom is None:
        return value(room, row.unit)
    return f"{_signed(100 * bound.headroom, 0)} %"


def _signed(number: float, decimals: int) -> str:
    """With its sign, unless it rounds to nothing."""
    return f"{number:+.{decimals}f}" if round(number, decimals) else f"{0:.{decimals}f}"


def overrun(row: LimitRow, bound: BoundRow) -> str:
    """``79.8 KiB is 31.8 KiB (66 %) over the limit of 48 KiB``."""
    if bound.bound is None:
        return bound.reason
    assert row.after is not None
    mine, theirs = format_pair(row.after.value, bound.bound, Unit(row.unit))
    side = "over" if upper(row, bound) else "under"
    by = abs(row.after.value - bound.bound)
    if row.unit == Unit.FRACTION:
        distance = f"{100 * by:.2f} pp"
    else:
        share = f" ({100 * abs(bound.headroom):.0f} %)" if bound.headroom is not None else ""
        distance = f"{value(by, row.unit)}{share}"
    what = {
        "max": "the limit of",
        "min": "the limit of",
        "ratchet": "what the lock holds,",
        "anchor": f"what {row.anchor.ref if row.anchor else 'the anchor'} allows,",
        "max_drop": "what the source model allows,",
        "max_regression": f"what {row.against.ref if row.against else 'the lock'} allows,",
    }[bound.kind]
    return f"{mine} is {distance} {side} {what} {theirs}"


def one_line(row: LimitRow) -> str:
    """A verdict in one line, for JUnit and logs."""
    found = reading(row.after, row.unit)
    return f"{row.model}: {row.metric} {found}, limit {limit(row)}: {row.status}"


def device(row: FileRow) -> str:
    """``raspberry-pi-4, run host, 1 thread, litert 2.3.0``."""
    threads = f"{row.threads} thread{'s' if row.threads != 1 else ''}"
    runtimes = ", ".join(f"{name} {version}".strip() for name, version in row.runtimes.items())
    parts = [row.profile, f"run {row.run}", row.beside, threads, runtimes]
    return ", ".join(filter(None, parts))


FINDINGS_TOLD = 5


def findings(row: LintRow) -> str:
    """How many findings there are of each severity, in words."""
    counts: dict[str, int] = {}
    for finding in row.findings:
        counts[finding.severity] = counts.get(finding.severity, 0) + 1
    order = ("error", "warning", "note")
    words = [f"{n} {each}{'s' * (n > 1)}" for each in order if (n := counts.get(each, 0))]
    return ", ".join(words) or "nothing"


def told(row: LintRow) -> list[str]:
    """The first findings worse than a note, one a line, and how many more there are."""
    worse = [each for each in row.findings if each.severity != "note"]
    lines = [finding(each) for each in worse[:FINDINGS_TOLD]]
    more = len(worse) - FINDINGS_TOLD
    return [*lines, f"and {more} more"] if more > 0 else lines


def finding(row: FindingRow) -> str:
    """One finding on one line."""
    where = f"{row.where}: " if row.where else ""
    return f"{row.code} {row.severity}: {where}{row.message}"
