"""
Costs fitted to timed micro-models: few of them, none negative.

    seconds = start + sum over ops and terms of cost * term

The squares of relative errors are least, by the active sets of Lawson and Hanson,
"Solving Least Squares Problems", 1974, chapter 23. The multiples to which kernels
round up are searched for on a grid.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_edgebudget.estimate.shapes import PRODUCTS, OpShape, terms
from pytest_edgebudget.types.calibrations import KindCosts, Tile

Array = np.ndarray[Any, np.dtype[np.float64]]

ROWS, COLUMNS, DEPTHS = (1, 2, 4, 5, 6, 7, 8, 16), (1, 4, 8, 16, 32, 64), (1, 4, 8, 16)
"""Multiples that kernels of CPUs round up to."""
CACHES = tuple(1 << bits for bits in (17, 18, 19, 20, 21, 22, 23, 24))


@dataclass(frozen=True, slots=True)
class Timed:
    """A micro-model: the sizes of its ops, all of one kind, and its seconds."""

    name: str
    ops: tuple[OpShape, ...]
    seconds: float

    @property
    def costs(self) -> str:
        """The name of the costs of its ops."""
        return self.ops[0].costs

    @property
    def weights(self) -> int:
        """Bytes of its weights."""
        return sum(op.weights for op in self.ops)


def solve(timed: Sequence[Timed]) -> tuple[float, Mapping[str, KindCosts]]:
    """
    Seconds that an inference takes besides its ops, and the costs of each kind of op.

    Of each kind there are several micro-models; the start is told by those that
    have the same small op once and often.
    """
    start = _start(timed)
    kinds: dict[str, list[Timed]] = {}
    for each in timed:
        kinds.setdefault(each.costs, []).append(each)
    return start, {name: _kind(members, start) for name, members in kinds.items()}


def _start(timed: Sequence[Timed]) -> float:
    """Of the quickest pair of micro-models that differ in the number of ops only."""
    found = []
    for one, many in itertools.permutations(timed, 2):
        if len(one.ops) == 1 < len(many.ops) and one.ops[0].moved == many.ops[0].moved <= 128:
            each = (many.seconds - one.seconds) / (len(many.ops) - 1)
            found.append(max(one.seconds - max(each, 0.0), 0.0))
    return float(np.median(found)) if found else 0.0


def _kind(members: Sequence[Timed], start: float) -> KindCosts:
    """The best multiples first, then the best cache."""
    plain = Tile()
    if not members[0].ops[0].rows:
        return _fit(members, start, plain, 0)[1]
    largest = max(each.weights for each in members)
    tiles = [_fit(members, start, tile, CACHES[-1]) for tile in _tiles(members[0].costs)]
    tile = min(tiles, key=lambda found: found[0])[1].tile
    caches = [cache for cache in CACHES if cache < largest / 2] or [CACHES[-1]]
    fits = [_fit(members, start, tile, cache) for cache in caches]
    return min(fits, key=lambda found: found[0])[1]


def _tiles(kind: str) -> Iterable[Tile]:
    """What is tried for a kind of op."""
    if kind == PRODUCTS["FULLY_CONNECTED"]:
        return (Tile(1, *each) for each in itertools.product(COLUMNS, DEPTHS))
    if kind == PRODUCTS["DEPTHWISE_CONV_2D"]:
        return (Tile(*each, 1) for each in itertools.product((1, 2, 4), COLUMNS))
    return (Tile(*each) for each in itertools.product(ROWS, COLUMNS, DEPTHS))


def _fit(members: Sequence[Timed], start: float, tile: Tile, cache: int) -> tuple[float, KindCosts]:
    sums: list[dict[str, float]] = []
    for each in members:
        whole: dict[str, float] = {}
        for op in each.ops:
            for name, value in terms(op, tile, cache, each.weights).items():
                whole[name] = whole.get(name, 0.0) + value
        sums.append(whole)
    names = [name for name in sums[0] if any(whole[name] for whole in sums)]
    seconds = np.array([each.seconds for each in members])
    share = np.maximum(1 - start / seconds, 0.02)  # the op's part of what was timed
    columns = np.array([[whole[name] for name in names] for whole in sums]) / seconds[:, None]
    error, costs = non_negative(columns, share)
    found = {name: float(cost) for name, cost in zip(names, costs, strict=True) if cost > 0}
    return error, KindCosts(found, tile, cache)


def non_negative(columns: Array, target: Array) -> tuple[float, Array]:
    """Least squares without negative factors: the squared error, and the factors."""
    size = np.maximum(np.abs(columns).max(0), 1e-300)
    a = columns / size
    gram, right = a.T @ a, a.T @ target
    gram += np.eye(len(size)) * 1e-9 * max(float(np.trace(gram)), 1e-300)
    factors, chosen = np.zeros(len(size)), np.zeros(len(size), bool)
    for _ in range(3 * len(size)):
        slope = np.where(chosen, -np.inf, right - gram @ factors)
        if slope.max() <= 1e-9 * len(target):
            break
        chosen[slope.argmax()] = True
        factors = _positive(gram, right, factors, chosen)
    off = target - a @ factors
    return float(off @ off), factors / size


def _positive(gram: Array, right: Array, factors: Array, chosen: Any) -> Array:
    """Solve for the *chosen* factors; those that would turn negative are given up one by one."""
    while chosen.any():
        part = np.flatnonzero(chosen)
        solution = np.zeros(len(factors))
        solution[part] = np.linalg.solve(gram[np.ix_(part, part)], right[part])
        if (solution[part] > 0).all():
            return solution
        falls = chosen & (solution <= 0)
        drop = factors - solution
        step = np.min(factors[falls] / np.where(drop[falls] > 0, drop[falls], 1.0))
        factors = factors + step * (solution - factors)
        chosen &= factors > 1e-14
        factors = np.where(chosen, factors, 0.0)
    return factors
