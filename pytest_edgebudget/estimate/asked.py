"""An estimate of a file as it is, or the reason why there is none."""

from __future__ import annotations

import math
import re

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.estimate.boards import published_runtimes
from pytest_edgebudget.estimate.core import Estimate, OpTime, Range, estimate
from pytest_edgebudget.estimate.own import own_estimate
from pytest_edgebudget.estimate.precision import HYBRID, precision_of
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.types import Profile

_KNOWN = ("int8", "fp32", "fp16", HYBRID)
_TWO_WAYS = "8-bit weights under floats: from as fast as int8 to as slow as fp32"


class NoEstimate(EdgeBudgetError):
    """Nothing that was published is near what is asked; says why."""


def estimated(
    graph: Graph, profile: Profile, *, runtime: str, threads: int = 1, precision: str = ""
) -> Estimate:
    """
    Estimate *graph* on *profile* in the precision of its operators, or in another.

    Raises:
        NoEstimate: nothing that was published tells of it.
        EdgeBudgetError: the shipped table is damaged.
    """
    asked = precision or precision_of(graph)
    accelerated = published_runtimes(runtime, profile.accelerator)
    if profile.accelerator and not profile.calibrations and not accelerated:
        raise NoEstimate(f"no published times of {profile.accelerator} come with this package")
    if asked not in _KNOWN:
        raise NoEstimate(f"no times of models in {asked} were published of {runtime}")
    if asked == HYBRID and profile.calibrations:
        own = own_estimate(
            graph, profile, runtime=runtime, threads=max(threads, 1), precision=asked
        )
        if own is not None:
            return own
    names = ("int8", "fp32") if asked == HYBRID else (asked,)
    found = [
        estimate(graph, profile, runtime=runtime, threads=threads, precision=name) for name in names
    ]
    there = [each for each in found if each is not None]
    if len(there) < len(names):
        where = profile.cpu or profile.name
        runtime = " or ".join(accelerated) if profile.accelerator else runtime
        raise NoEstimate(
            f"no times of {runtime} on {where} in {' and '.join(names)} were published"
        )
    return _between(*there) if asked == HYBRID else there[0]


def basis(found: Estimate) -> str:
    """What is behind an estimate: rows, median error, and what widened its band."""
    rows = re.sub(r"\b1 threads\b", "1 thread", found.basis)
    return "; ".join([f"{rows}, median error {found.median_error:.0%}", *found.notes]).replace(
        "%", " %"
    )


def _between(fast: Estimate, slow: Estimate) -> Estimate:
    """From the fast one's lower end to the slow one's upper end."""
    return Estimate(
        latency=_span(fast.latency, slow.latency),
        energy=_span(fast.energy, slow.energy) if fast.energy and slow.energy else None,
        basis=f"{fast.basis}, and {slow.basis}",
        median_error=max(fast.median_error, slow.median_error),
        notes=(_TWO_WAYS, *dict.fromkeys((*fast.notes, *slow.notes))),
        ops=tuple(
            OpTime(one.name, one.kind, math.sqrt(one.seconds * other.seconds), other.bound)
            for one, other in zip(fast.ops, slow.ops, strict=True)
        ),
    )


def _span(one: Range, other: Range) -> Range:
    low, high = min(one.low, other.low), max(one.high, other.high)
    return Range(math.sqrt(one.value * other.value), low, high)
