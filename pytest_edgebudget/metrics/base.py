"""What a metric is: a name, a unit, a direction, and one definition."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_edgebudget.types import Better, Evidence, Layer, Unit


@dataclass(frozen=True, slots=True)
class Value:
    """
    What a metric's function returns: *value* in SI units, its interval, a note.

    *evidence* when it is not the metric's usual one; *shared* as in `Reading`.
    """

    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""
    layers: tuple[Layer, ...] = ()
    evidence: Evidence | None = None
    shared: float = 0.0


@dataclass(frozen=True, slots=True)
class Option:
    """A key that a metric's limit may carry: ``top_k = { min = 0.9, k = 5 }``."""

    name: str
    type: type
    default: float | int | str
    help: str
    choices: tuple[str, ...] = ()


Options = Mapping[str, float | int | str]


def confidence(options: Options) -> float:
    """Of the interval: the limit's ``confidence``, 0.95 where it has none."""
    return float(options.get("confidence", 0.95))


STATIC = (Evidence.EXACT,)
PLANNED = (Evidence.EXACT, Evidence.MEASURED, Evidence.EMULATED, Evidence.ESTIMATED)
RUN = (Evidence.MEASURED, Evidence.EMULATED, Evidence.HOST)
PHYSICS = (Evidence.MEASURED, Evidence.ESTIMATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """
    A named quantity with a unit, a direction and one definition.

    Attributes:
        read: facts and options to a value; its docstring is the definition,
            printed by ``edgebudget explain NAME``.
        needs: the class of facts that *read* takes (see `facts`; or `Graph`).
        accepts: the evidence that a limit accepts when it does not say.
        noisy: whether another run may read another value.
        droppable: whether the source model's value may be compared (max_drop).
        compares: whether *read* needs `Predictions.source`.
        additive: whether a group of models may be summed.
        informs: it describes what the runtime does not do: its limits are
            warnings, and never fail.
        scores: a number for each sample whose mean is the value, shape (n,): what
            two models are compared by, sample by sample.
        point: the value alone, without an interval, for metrics that are no
            mean over samples: it is read of many resamples.
        estimable: whether *read* takes `EstimatedCost`, too, which there may be
            where the device does not tell what it *needs*.
        identity: what else tells it from a metric of the same name, such as
            the user's function; readings of another identity are not compared.
        exact: readings are EXACT whatever the device (static metrics).
        bounds: the least and the greatest value that there can be, where the
            unit does not say (a fraction lies in 0..1).
        cacheable: whether a reading may be kept for the next run; False where
            *read* is code that may change without our knowing.
    """

    name: str
    unit: Unit
    better: Better
    needs: type
    read: Callable[[Any, Options], Value]
    accepts: tuple[Evidence, ...]
    noisy: bool = False
    droppable: bool = False
    compares: bool = False
    additive: bool = False
    informs: bool = False
    exact: bool = False
    bounds: tuple[float, float] | None = None
    cacheable: bool = True
    estimable: bool = False
    scores: Callable[[Any, Options], Any] | None = None
    point: Callable[[Any, Options], float] | None = None
    identity: str = ""
    options: tuple[Option, ...] = ()

    @property
    def doc(self) -> str:
        """The definition, as the user reads it."""
        return inspect.getdoc(self.read) or ""

    @property
    def extent(self) -> tuple[float, float]:
        """The least and the greatest value that it can have."""
        if self.bounds is not None:
            return self.bounds
        if self.unit is Unit.FRACTION:
            return 0.0, 1.0
        return (-math.inf, math.inf) if self.unit is Unit.NUMBER else (0.0, math.inf)

    def defaults(self) -> dict[str, float | int | str]:
        """The options' default values."""
        return {option.name: option.default for option in self.options}
