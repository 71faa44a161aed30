"""Time of a model from fitted costs, without numpy: microseconds of work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol


class Effects(Protocol):
    """What `fit.Fitted` and the shipped table have."""

    @property
    def base(self) -> Sequence[float]: ...  # noqa: D102
    @property
    def scale(self) -> float: ...  # noqa: D102
    @property
    def effects(self) -> Mapping[tuple[int, str], Sequence[float]]: ...  # noqa: D102


def costs(fits: Sequence[Effects], names: Sequence[str | None]) -> tuple[tuple[float, ...], ...]:
    """
    Milliseconds of each unit of work (a feature times its prior cost), by each fit.

    *names*: a member of each level, None where it has none; members that no row
    belonged to deviate by nothing.
    """
    return tuple(_costs(fitted, names) for fitted in fits)


def _costs(fitted: Effects, names: Sequence[str | None]) -> tuple[float, ...]:
    found = [fitted.effects.get((i, name)) for i, name in enumerate(names) if name is not None]
    known = [effect for effect in found if effect is not None]
    size = len(fitted.base)
    scale = fitted.scale + sum(effect[size] for effect in known)
    return tuple(
        math.exp(scale + max(-10.0, min(10.0, base + sum(effect[i] for effect in known))))
        for i, base in enumerate(fitted.base)
    )


def milliseconds(costs_by_fit: Sequence[Sequence[float]], x: Sequence[float]) -> float:
    """The geometric mean of what the fits say of a vector."""
    times = [sum(c * v for c, v in zip(costs, x, strict=True)) for costs in costs_by_fit]
    return math.exp(sum(math.log(max(time, 1e-12)) for time in times) / len(times))


def term_milliseconds(
    costs_by_fit: Sequence[Sequence[float]], x: Sequence[float]
) -> tuple[float, ...]:
    """The arithmetic mean of what the fits say of each feature."""
    columns = list(zip(*costs_by_fit, strict=True))
    return tuple(v * sum(column) / len(column) for v, column in zip(x, columns, strict=True))
