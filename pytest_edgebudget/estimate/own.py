"""Estimates by a profile's own calibration: what `edgebudget calibrate` measured on the board."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING

from pytest_edgebudget.estimate.shapes import OpShape, op_shapes, terms
from pytest_edgebudget.types import Calibration, KindCosts, Profile

if TYPE_CHECKING:
    from pytest_edgebudget.estimate.core import Estimate, OpTime, Range
    from pytest_edgebudget.graph import Graph

_RESOURCES = {
    **dict.fromkeys(("macs", "ragged", "uneven", "tiles", "taps"), "compute"),
    **dict.fromkeys(("moved", "written", "weights", "streamed", "far"), "bandwidth"),
    "op": "overhead",
}
_UNKNOWN = 1.28
"""By how much (logarithm) time may be off that is all of ops that were not calibrated."""
_THREADS = 0.5
"""The same for each factor e of threads more or fewer than were calibrated."""
_DECADE = 0.3
"""The same for each tenfold that a model is beyond the models that tested it."""


def own_estimate(
    graph: Graph, profile: Profile, *, runtime: str, threads: int, precision: str
) -> Estimate | None:
    """
    Estimate *graph* by the calibrations of *profile*; None where it has none of that runtime.

    Each op takes the costs of its own precision; the band is that of the model's.
    """
    same = [each for each in profile.calibrations if each.runtime == runtime]
    if not same:
        return None
    near = min(same, key=lambda each: abs(math.log(each.threads / threads))).threads
    sets = {each.precision: each for each in same if each.threads == near}
    chosen = sets.get(precision) or max(sets.values(), key=lambda each: each.band)
    notes, widths = _unlike(chosen, threads, precision)
    return _estimate(graph, profile, chosen, sets, notes, widths)


def _unlike(chosen: Calibration, threads: int, precision: str) -> tuple[list[str], list[float]]:
    notes, widths = list(chosen.notes), [chosen.band]
    if chosen.threads != threads:
        notes.append(f"not calibrated with {threads} threads: with {chosen.threads}")
        widths.append(_THREADS * abs(math.log(chosen.threads / threads)))
    if chosen.precision != precision:
        notes.append(f"not calibrated in {precision}: the band of {chosen.precision}")
        widths.append(_UNKNOWN / 2)
    return notes, widths


def _estimate(
    graph: Graph,
    profile: Profile,
    chosen: Calibration,
    sets: Mapping[str, Calibration],
    notes: list[str],
    widths: list[float],
) -> Estimate:
    from pytest_edgebudget.estimate.core import Estimate

    shapes = op_shapes(graph)
    weights = sum(shape.weights for shape in shapes)
    ops: list[OpTime] = []
    foreign: list[int] = []
    for shape in shapes:
        costs = _costs(shape, sets)
        if costs is None or not shape.known:
            foreign.append(len(ops))
        ops.append(_op(shape, costs or _usual(sets), weights))
    seconds = chosen.start + sum(op.seconds for op in ops)
    if foreign:
        share = sum(ops[i].seconds for i in foreign) / max(seconds, 1e-12)
        names = ", ".join(sorted({ops[i].kind for i in foreign}))
        notes.append(f"{names}: not calibrated, {share:.0%} of the time by the usual cost of an op")
        widths.append(_UNKNOWN * share)
    _beyond(shapes, chosen, notes, widths)
    width = math.hypot(*widths)
    return Estimate(
        latency=_range(seconds, width),
        energy=_energy(seconds, width, chosen),
        basis=f"calibration of {profile.name}, {chosen.date}: {chosen.runtime} "
        f"{chosen.version}, {chosen.precision}, {chosen.threads} threads, {chosen.cpu}; "
        f"{chosen.micro_models} micro-models, tested on {chosen.models} models",
        median_error=chosen.median_error,
        notes=tuple(notes),
        ops=tuple(ops),
        above_idle=True,
    )


def _range(value: float, width: float) -> Range:
    from pytest_edgebudget.estimate.core import Range

    return Range(value, value * math.exp(-width), value * math.exp(width))


def _energy(seconds: float, width: float, chosen: Calibration) -> Range | None:
    if chosen.watts is None:
        return None
    return _range(seconds * chosen.watts, math.hypot(width, chosen.watts_spread))


def _costs(shape: OpShape, sets: Mapping[str, Calibration]) -> KindCosts | None:
    """The costs of an op: of its precision, else those of floats."""
    for name in (shape.precision, "fp32"):
        found = sets[name].kinds.get(shape.costs) if name in sets else None
        if found is not None:
            return found
    return None


def _usual(sets: Mapping[str, Calibration]) -> KindCosts:
    """What ops that move elements cost by half: of one that was not calibrated nothing is known."""
    every = [costs.seconds for each in sets.values() for costs in each.kinds.values()]
    names = ("op", "moved")
    return KindCosts({name: median(costs.get(name, 0.0) for costs in every) for name in names})


def _op(shape: OpShape, costs: KindCosts, weights: int) -> OpTime:
    from pytest_edgebudget.estimate.core import OpTime

    bounds = {"compute": 0.0, "bandwidth": 0.0, "overhead": 0.0}
    for name, value in terms(shape, costs.tile, costs.cache, weights).items():
        bounds[_RESOURCES[name]] += costs.seconds.get(name, 0.0) * value
    bound = max(bounds, key=lambda name: bounds[name])
    return OpTime(shape.name, shape.kind, sum(bounds.values()), bound)


def macs(shapes: Sequence[OpShape]) -> int:
    """Multiply-accumulates of a model."""
    return sum(each.rows * each.columns * each.depth * each.taps for each in shapes)


def _beyond(
    shapes: Sequence[OpShape], chosen: Calibration, notes: list[str], widths: list[float]
) -> None:
    work = max(macs(shapes), 1)
    if chosen.largest and work > chosen.largest:
        notes.append(f"{work / chosen.largest:.3g} times larger than any model that tested it")
        widths.append(_DECADE * math.log10(work / chosen.largest))
