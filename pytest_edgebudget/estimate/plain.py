"""
Plain fits: non-negative least squares of relative error, which assume nothing.

Where each group has rows of many networks they err otherwise than a fit that knows
what is likely, and the mean of both errs less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pytest_edgebudget.estimate.pools import LEVELS
from pytest_edgebudget.estimate.samples import Array, Fitted, Sample

_GROUP = LEVELS.index("group")
_LEAST = -10.0
"""Logarithm of a cost that is nothing."""
_TURNS = 12
_SWEEPS = 300
_STILL = 1e-5
"""Weights that change by so little are found."""


def weights(a: Array) -> Array:
    """Non-negative least squares of rows of *a* (rows, features) on 1, by coordinates."""
    size = a.max(0) + 1e-30
    gram, target = (a / size).T @ (a / size), (a / size).sum(0)
    w = np.zeros(len(size))
    told = np.flatnonzero(np.diag(gram) > 1e-12)
    for _ in range(_SWEEPS):
        before = w.copy()
        for k in told:
            w[k] = max(0.0, w[k] + (target[k] - gram[k] @ w) / gram[k, k])
        if np.abs(w - before).max() <= _STILL * w.max():
            break
    found: Array = w / size
    return found


def shared_weights(samples: Sequence[Sample]) -> tuple[Array, Mapping[str, float]]:
    """Weights of all *samples* and one scale of each group, found in turns."""
    x, y = np.array([s.x for s in samples]), np.array([s.milliseconds for s in samples])
    names = np.array([s.row["group"] for s in samples])
    members = {str(name): np.flatnonzero(names == name) for name in dict.fromkeys(names)}
    scales = {name: float(np.median(y[i] / x[i].sum(1))) for name, i in members.items()}
    w = np.ones(x.shape[1])
    for _ in range(_TURNS):
        w = weights(x * (np.array([scales[name] for name in names]) / y)[:, None])
        for name, i in members.items():
            part = x[i] @ w / y[i]
            scales[name] = float(part.sum() / (part @ part)) if part.any() else scales[name]
    return w, scales


def plain_fits(samples: Sequence[Sample]) -> tuple[Fitted, Fitted]:
    """One with weights of each group; one with those of all, and a scale a group."""
    w, scales = shared_weights(samples)
    base, middle = _logarithms(w), float(np.median(np.log(list(scales.values()))))
    shared = {name: (np.zeros(len(w)), np.log(scale)) for name, scale in scales.items()}
    own = {name: _of_group(samples, name) for name in scales}
    apart = {name: (costs - base, scale) for name, (costs, scale) in own.items()}
    return _fitted(base, middle, apart), _fitted(base, middle, shared)


def _of_group(samples: Sequence[Sample], name: str) -> tuple[Array, float]:
    members = [s for s in samples if s.row["group"] == name]
    w = weights(np.array([s.x for s in members]) / [[s.milliseconds] for s in members])
    scale = float(np.log(w[w > 0]).mean()) if w.any() else 0.0
    return _logarithms(w * np.exp(-scale)), scale


def _logarithms(w: Array) -> Array:
    found: Array = np.clip(np.log(np.maximum(w, 1e-30)), _LEAST, -_LEAST)
    return found


def _fitted(base: Array, scale: float, effects: Mapping[str, tuple[Array, float]]) -> Fitted:
    return Fitted(
        tuple(base.tolist()),
        scale,
        {(_GROUP, name): (*costs.tolist(), own - scale) for name, (costs, own) in effects.items()},
    )
