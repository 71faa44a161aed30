"""What was fitted to a board's own measurements: costs of operators, and how far they are off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """To which multiples a kernel rounds up pixels, filters and channels."""

    rows: int = 1
    columns: int = 1
    depth: int = 1


@dataclass(frozen=True, slots=True)
class KindCosts:
    """
    Costs of one kind of op: *seconds* of each term, see `estimate.shapes.terms`.

    *cache*: bytes of weights that stay near the cores from one inference to the next.
    """

    seconds: Mapping[str, float]
    tile: Tile = Tile()
    cache: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """
    One calibration of a board: a runtime, a precision, a number of threads.

    Attributes:
        version, cpu, date: of the runtime, of the board, and when.
        micro_models, models: how many were fitted, and how many tested it.
        median_error, worst_error: of the models that were not fitted; parts of 1.
        band: logarithm of (high / estimate) of the 80 % interval.
        smallest, largest: multiply-accumulates of the models that tested it.
        start: seconds of an inference besides its ops.
        kinds: costs by kind.
        watts, power_domain: while models run; None: no sensor.
        notes: how the board was.
    """

    runtime: str
    precision: str
    threads: int
    version: str
    cpu: str
    date: str
    micro_models: int
    models: int
    median_error: float
    worst_error: float
    band: float
    smallest: float
    largest: float
    start: float
    kinds: Mapping[str, KindCosts]
    watts: float | None = None
    watts_spread: float = 0.0
    power_domain: str = ""
    notes: tuple[str, ...] = ()
