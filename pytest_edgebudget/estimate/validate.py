"""
How wrong estimates are for networks of families that were not fitted.

A family is left out of a whole domain, on all devices at once: siblings on other
boards would tell how its operators deviate. The band of a pool is a quantile of
these errors (split conformal prediction, Vovk et al., "Algorithmic Learning in a
Random World", 2005), each row once.

How much wider it is on a device of which no row tells is found in the same way: each
device is left out in turn, and what its groups are off in the mean is what a device
adds to the errors of its models.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_edgebudget.estimate.fit import fit
from pytest_edgebudget.estimate.pools import LEVELS, kin, level_names
from pytest_edgebudget.estimate.predict import costs, milliseconds
from pytest_edgebudget.estimate.samples import Fitted, Sample

NOMINAL = 0.8
"""The share of unseen models that a band is meant to cover."""


@dataclass(frozen=True, slots=True)
class Error:
    """*ratio*: logarithm of estimated over published time."""

    sample: Sample
    ratio: float

    @property
    def relative(self) -> float:
        """The absolute error, as a part of the published time."""
        return abs(math.expm1(self.ratio))


def leave_families_out(samples: Sequence[Sample], domain: str) -> list[Error]:
    """The errors of rows whose group has other families."""
    errors: list[Error] = []
    for family in sorted({sample.family for sample in samples}):
        rest = [sample for sample in samples if sample.family != family]
        known = {sample.row["group"] for sample in rest}
        left = [s for s in samples if s.family == family and s.row["group"] in known]
        if left:
            errors.extend(_errors(rest, left, domain))
    return errors


def _errors(rest: Sequence[Sample], left: Sequence[Sample], domain: str) -> Iterable[Error]:
    fits = fit(rest, domain)
    for sample in left:
        unit = costs(fits, level_names(sample.row, sample.pool))
        ratio = milliseconds(unit, sample.x) / sample.milliseconds
        yield Error(sample, math.log(ratio))


def leave_devices_out(samples: Sequence[Sample], domain: str) -> dict[str, list[Error]]:
    """
    The errors of rows whose core other devices have, by who told of it.

    "device": other devices under runtimes that are kin, of which the nearest one's clock
    is known; "runtime": only runtimes that are not.
    """
    found: dict[str, list[Error]] = {"device": [], "runtime": []}
    for device in sorted({sample.row["device"] for sample in samples}):
        rest = [sample for sample in samples if sample.row["device"] != device]
        left = [sample for sample in samples if sample.row["device"] == device]
        cores = {sample.row["core"] for sample in rest}
        if not any(sample.row["core"] in cores for sample in left):
            continue
        fits = fit(rest, domain)
        for sample in left:
            same = [other for other in rest if other.row["core"] == sample.row["core"]]
            near = [other for other in same if kin(other.row["runtime"], sample.row["runtime"])]
            if same:
                ratio = _without_device(fits, sample) + (_clocks(near, sample) if near else 0.0)
                found["device" if near else "runtime"].append(Error(sample, ratio))
    return found


def _without_device(fits: Sequence[Fitted], sample: Sample) -> float:
    names = [
        None if level in ("device", "group") else name
        for level, name in zip(LEVELS, level_names(sample.row, sample.pool), strict=True)
    ]
    return math.log(milliseconds(costs(fits, names), sample.x) / sample.milliseconds)


def _clocks(near: Sequence[Sample], sample: Sample) -> float:
    """By how much (logarithm) the clock of the nearest group is above that of a row."""

    def distance(other: Sample) -> tuple[bool, ...]:
        keys = ("runtime", "threads", "precision", "runtime_version")
        return tuple(other.row[key] != sample.row[key] for key in keys)

    clocks = [min(near, key=distance).row["clock_mhz"], sample.row["clock_mhz"]]
    return math.log(float(clocks[0]) / float(clocks[1])) if all(clocks) else 0.0


def offsets(errors: Sequence[Error]) -> list[float]:
    """What each group is off in the mean: logarithms."""
    groups: dict[str, list[float]] = defaultdict(list)
    for error in errors:
        groups[error.sample.row["group"]].append(error.ratio)
    return [statistics.fmean(each) for each in groups.values()]


def half_width(errors: Sequence[Error], nominal: float = NOMINAL) -> float:
    """The logarithm of (high / median) of a band that covers *nominal* of *errors*."""
    return quantile([error.ratio for error in errors], nominal)


def quantile(logarithms: Sequence[float], nominal: float = NOMINAL) -> float:
    """How far from 0 the *nominal* part of *logarithms* are, and one more would be."""
    sizes = sorted(map(abs, logarithms))
    place = math.ceil((len(sizes) + 1) * nominal) - 1
    return sizes[min(place, len(sizes) - 1)]


def coverage(errors: Sequence[Error]) -> float:
    """How many rows a band covers that is made from the errors of other families."""
    inside = 0
    for family in {error.sample.family for error in errors}:
        others = [error for error in errors if error.sample.family != family]
        if not others:
            continue
        width = half_width(others)
        inside += sum(
            abs(error.ratio) <= width for error in errors if error.sample.family == family
        )
    return inside / len(errors)
