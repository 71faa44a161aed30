"""Numbers with their evidence: units, readings, and why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a number counts; the value is the SI unit it is stored in."""

    BYTES = "B"
    SECONDS = "s"
    JOULES = "J"
    HERTZ = "Hz"
    FRACTION = "fraction"  # 0..1, shown in percent; differences in pp
    COUNT = "count"
    NUMBER = "number"  # a plain number: an error, a loss, a score of one's own


class Better(StrEnum):
    """The direction in which a metric improves."""

    LOWER = "lower"
    HIGHER = "higher"


class Evidence(StrEnum):
    """Where a number comes from. See DESIGN: a number without it does not exist."""

    EXACT = "exact"  # computed, provably the runtime's own number
    MEASURED = "measured"  # on the device
    HOST = "host"  # measured here, as a stand-in for the device
    EMULATED = "emulated"  # the device's own instructions or arithmetic
    ESTIMATED = "estimated"  # a fitted model, with its band


class Outcome(StrEnum):
    """What became of a limit."""

    KEPT = "kept"
    BROKEN = "broken"
    UNDECIDED = "undecided"  # a bound lies inside low..high of a noisy reading
    UNMEASURED = "unmeasured"


Key = tuple[tuple[str, str], ...]
"""The comparison key of a reading: sorted (name, value) pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    One number with its evidence.

    Attributes:
        metric: the metric's name.
        value: in the metric's SI unit.
        low, high: the interval; equal to *value* for exact numbers.
        evidence: where the number comes from.
        noisy: whether another run may read another value. A limit inside
            low..high of a noisy reading is undecided; a reading that is not
            noisy (a size, an accuracy on declared samples) is judged by its
            value, and its interval is information.
        key: under which the reading may be compared with another.
        note: one line that a reader must know ("1 slow worker set aside").
        layers: shares of the value by layer, largest first, in the same unit.
        shared: the part of *value* that models of one device use in turn: a
            group takes the largest of these and adds up the rest.
        drop: how much worse than the source model it is, sample by sample.
    """

    metric: str
    value: float
    low: float
    high: float
    evidence: Evidence
    noisy: bool = False
    key: Key = ()
    note: str = ""
    layers: tuple[Layer, ...] = ()
    shared: float = 0.0
    drop: Drop | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """
    How much worse than the source model, both on the same samples.

    Attributes:
        value, low, high: in the metric's unit, positive where it is worse; the
            interval is at *confidence*.
        samples: how many were compared.
        exact: the interval is by counts of flipped answers (`pairs.share_drop`),
            not by a bootstrap.
        worse, better: samples that were right before and are wrong now, and
            the other way; None for metrics without right and wrong.
        worse_at, better_at: where the first of them are in the split.
    """

    value: float
    low: float
    high: float
    confidence: float
    samples: int
    exact: bool = False
    worse: int | None = None
    better: int | None = None
    worse_at: tuple[int, ...] = ()
    better_at: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer's share of a metric: *name*, *kind* of op, *value* in its unit."""

    name: str
    kind: str
    value: float


@dataclass(frozen=True, slots=True)
class Missing:
    """A metric that was not read, and why (and what would make it readable)."""

    metric: str
    reason: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was read of one artifact on one device."""

    readings: Mapping[str, Reading]
    missing: Mapping[str, Missing]
