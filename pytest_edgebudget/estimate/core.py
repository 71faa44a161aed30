"""Latency and energy of a model on a device that is not there, with a band."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_edgebudget.estimate.choose import Asked, Choice, choose
from pytest_edgebudget.estimate.features import (
    FEATURES,
    MACS,
    OVERHEAD,
    OpFeatures,
    op_features,
    totals,
)
from pytest_edgebudget.estimate.own import own_estimate
from pytest_edgebudget.estimate.pools import LEVELS, vector
from pytest_edgebudget.estimate.predict import costs, milliseconds, term_milliseconds
from pytest_edgebudget.estimate.table import Band, Group, Power, Table, shipped
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.types import Profile

POWER_DOMAIN = "supply of the whole chip while it runs, idle power included"
"""What MLPerf Tiny's energy mode measures, and so what *energy* is of."""

_UNKNOWN_OP = 0.7
"""By how much (logarithm) an estimate may be off that counts an op as if it were free."""
_A_DECADE = 0.3
"""The same for each tenfold that a model is beyond the models seen."""
_UNSEEN_SHARE = 1.28
"""The same for time that is all spent in a kind of work that no row had."""


@dataclass(frozen=True, slots=True)
class Range:
    """A median and the ends of an 80 % interval; SI units."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OpTime:
    """*seconds* of one op, and what bounds it: "compute", "bandwidth" or "overhead"."""

    name: str
    kind: str
    seconds: float
    bound: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    What a model takes on a device.

    Attributes:
        latency: seconds of one inference.
        energy: joules of one inference (see POWER_DOMAIN); None: no board's power is known.
        basis: the published rows behind it, in words.
        median_error: of models of families that were not fitted; a part of 1.
        notes: why the band is wider than that of what was published.
        ops: the time of each op; the start of an inference is none of them.
        above_idle: whether *energy* leaves out what the board draws anyway.
    """

    latency: Range
    energy: Range | None
    basis: str
    median_error: float
    notes: tuple[str, ...]
    ops: tuple[OpTime, ...]
    above_idle: bool = False


def estimate(
    graph: Graph,
    profile: Profile,
    *,
    runtime: str,
    threads: int = 1,
    precision: str,
    table: Table | None = None,
) -> Estimate | None:
    """
    Estimate *graph* on *profile*; None where nothing published is near it.

    *runtime* as in a profile ("litert", "tflm", "x-cube-ai", "ncnn"), *precision*
    "int8", "fp32" or "fp16". *table*: another than the shipped one.

    Raises:
        EdgeBudgetError: the shipped table is damaged.
    """
    if profile.calibrations:
        own = own_estimate(
            graph, profile, runtime=runtime, threads=max(threads, 1), precision=precision
        )
        if own is not None:
            return own
    table = table or shipped()
    chosen = choose(table, Asked(profile, runtime, max(threads, 1), precision))
    return None if chosen is None else _estimate(graph, chosen, table, precision)


def _estimate(graph: Graph, chosen: Choice, table: Table, precision: str) -> Estimate:
    group, ops = chosen.group, op_features(graph)
    each = {"int8": 1.0, "fp16": 2.0}.get(precision, 4.0)
    x = vector(totals(ops), group.domain, each)
    unit = costs(table.fits[group.domain], chosen.names)
    seconds = milliseconds(unit, x) * 1e-3 * chosen.slower
    band = table.bands[group.pool]
    beyond = _beyond(x, unit, band, ops)
    widths = (band.half_width, chosen.widen, *(width for width, _ in beyond))
    width = math.hypot(*widths)
    power = _power(table, chosen)
    return Estimate(
        latency=_range(seconds, width),
        energy=None if power is None else _energy(seconds, width, power),
        basis=f"{group.device}, {group.runtime} {group.version}, {group.precision}"
        f"{_threads(group)}; {group.models} models",
        median_error=band.median_error,
        notes=(*chosen.notes, *(note for _, note in beyond)),
        ops=_ops(ops, group.domain, each, unit, seconds / sum(term_milliseconds(unit, x))),
    )


def _threads(group: Group) -> str:
    return f", {group.threads or '?'} threads" if group.domain in ("cpu", "mcu") else ""


def _range(value: float, width: float) -> Range:
    return Range(value, value * math.exp(-width), value * math.exp(width))


def _beyond(
    x: Sequence[float], unit: Sequence[Sequence[float]], band: Band, ops: Sequence[OpFeatures]
) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = []
    unknown = sorted({op.kind for op in ops if not op.known})
    if unknown:
        found.append((_UNKNOWN_OP, f"of {', '.join(unknown)} the cost is not known"))
    work = max(sum(x), 1e-9)
    for end, word, ratio in (
        (band.largest, "larger", work / band.largest),
        (band.smallest, "smaller", band.smallest / work),
    ):
        if end and ratio > 1:
            note = f"{ratio:.3g} times {word} than any model seen: extrapolated"
            found.append((_A_DECADE * math.log10(ratio), note))
    terms = term_milliseconds(unit, x)
    unseen = sum(t for t, name in zip(terms, FEATURES, strict=True) if name not in band.seen)
    if unseen > 0:
        share = unseen / max(sum(terms), 1e-12)
        found.append((_UNSEEN_SHARE * share, f"{share:.0%} of it is work that no row had"))
    return found


def _ops(
    ops: Sequence[OpFeatures],
    domain: str,
    each: float,
    unit: Sequence[Sequence[float]],
    seconds: float,
) -> tuple[OpTime, ...]:
    """*seconds* of a millisecond of terms, so that ops and the start add up to the latency."""
    return tuple(_op(op, domain, each, unit, seconds) for op in ops)


def _op(
    op: OpFeatures, domain: str, each: float, unit: Sequence[Sequence[float]], seconds: float
) -> OpTime:
    whole = {**dict.fromkeys(FEATURES, 0.0), **op.counts}
    terms = dict(zip(FEATURES, term_milliseconds(unit, vector(whole, domain, each)), strict=True))
    compute = sum(terms[name] for name in MACS)
    overhead = sum(terms[name] for name in OVERHEAD)
    bounds = {
        "compute": compute,
        "bandwidth": sum(terms.values()) - compute - overhead,
        "overhead": overhead,
    }
    bound = max(bounds, key=lambda name: bounds[name])
    return OpTime(op.name, op.kind, sum(terms.values()) * seconds, bound)


def _power(table: Table, chosen: Choice) -> Power | None:
    group = chosen.group
    if chosen.names[LEVELS.index("device")] != group.device:
        return None
    own = [p for p in table.powers if (p.device, p.runtime) == (group.device, group.runtime)]
    same = [p for p in own if p.version == group.version]
    if same or not own:
        return same[0] if same else None
    middle = sorted(own, key=lambda power: power.watts)[len(own) // 2]
    spread = max(abs(math.log(p.watts / middle.watts)) + p.spread for p in own)
    rows = sum(p.rows for p in own)
    return Power(group.device, group.runtime, "all", middle.watts, spread, rows)


def _energy(seconds: float, width: float, power: Power) -> Range:
    return _range(seconds * power.watts, math.hypot(width, power.spread))
