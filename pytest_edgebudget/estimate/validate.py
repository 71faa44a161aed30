"""
How wrong estimates are for networks of families that were not fitted.

A family is left out of a whole domain, on all devices at once: siblings on other
boards would tell how its operators deviate. The band of a pool is a quantile of
these errors (split conformal prediction, Vovk et al., "Algorithmic Learning in a
Random World", 2005), each row once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_edgebudget.estimate.fit import Sample, fit
from pytest_edgebudget.estimate.pools import level_names
from pytest_edgebudget.estimate.predict import costs, milliseconds

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


def half_width(errors: Sequence[Error], nominal: float = NOMINAL) -> float:
    """The logarithm of (high / median) of a band that covers *nominal* of *errors*."""
    sizes = sorted(abs(error.ratio) for error in errors)
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
