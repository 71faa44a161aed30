"""
Costs of operators, fitted to published rows; numpy, and only where somebody refits.

    seconds = scale * sum over features of count * prior cost * exp(deviation)

The costs are positive whatever the data. A deviation is the sum of those of all
that a row belongs to (its runtime, version, core, threads, device, ...), each
normal around zero with the prior's standard deviation: a device with three rows
borrows from its core and its runtime, one with thirty goes its own way. A model
and a family have deviations of their own, the same on all devices, so that a
network measured on forty boards does not count forty times.

Where a prior asks for several fits, they are averaged (geometric mean): one where
like operators deviate alike, one where each deviates alone. The most probable
deviations are found by Gauss-Newton steps on the logarithm of time, in the form of
Gaussian process regression: Rasmussen and Williams, "Gaussian Processes for Machine
Learning", 2006, section 2.7 (explicit basis functions).

Few networks are far from all others (their last operators run elsewhere, a compiler
found no vector form): deviations of models and families have the long tails of
Student's t, as scales of a normal that are fitted in turns with all else (Lange,
Little and Taylor, "Robust Statistical Modeling Using the t Distribution", 1989).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pytest_edgebudget.estimate.features import FEATURES, MACS, MOVED, WEIGHTS
from pytest_edgebudget.estimate.plain import plain_fits
from pytest_edgebudget.estimate.pools import LEVELS, PRIORS, level_names
from pytest_edgebudget.estimate.samples import Array, Fitted, Sample

_SD = {"mac": 0.6, "act": 0.8, "weight": 1.0, "overhead": 1.5}
_SCALE_SD, _MODEL_POOL = 5.0, 0.08
_STEPS, _ENOUGH = 14, 0.5
_TAILS = 2.0
"""Degrees of freedom of the deviations of models and families."""
_TURNS = 3


def fit(samples: Sequence[Sample], domain: str) -> tuple[Fitted, ...]:
    """The fits of *samples*, all of one domain."""
    prior = PRIORS[domain]
    likely = tuple(_Problem(samples, domain, alike).solve() for alike in prior.alike)
    return (*likely, *plain_fits(samples)) if prior.plain else likely


def _classes() -> list[str]:
    kinds = dict.fromkeys(MOVED, "act") | dict.fromkeys(WEIGHTS, "weight")
    kinds |= dict.fromkeys(MACS, "mac") | {"fc_macs": "fc", "fc_weight": "fc"}
    return [kinds.get(name, "overhead") for name in FEATURES]


class _Problem:
    def __init__(self, samples: Sequence[Sample], domain: str, alike: float) -> None:
        self.samples, self.prior = samples, PRIORS[domain]
        self.x = np.array([s.x for s in samples])
        self.y = np.log([s.milliseconds for s in samples])
        self.names = [level_names(s.row, s.pool) for s in samples]
        classes = _classes()
        self.shape = np.array(
            [[1.0 if i == j else alike * (a == b) for j, b in enumerate(classes)]
             for i, a in enumerate(classes)]
        )  # fmt: skip
        sd = np.array([_SD.get(name, _SD["mac"]) for name in classes]) * self.prior.base
        self.base = self.shape * sd[:, None] * sd[None]
        self.vary = self._shared(self.prior.shape)
        self.scales = self._shared(self.prior.scale) + _SCALE_SD**2
        self.labels = {
            "model": [s.row["model"] for s in samples],
            "family": [s.family for s in samples],
        }
        _, one, many = self.prior.noise
        self._make_noise(np.full(len(samples), one), np.full(len(samples), many))
        self.start = float(np.median(self.y - np.log(self.x.sum(1))))

    def _same(self, labels: Sequence[object]) -> Array:
        numbers: dict[object, int] = {}
        codes = np.array([numbers.setdefault(label, len(numbers)) for label in labels])
        same: Array = (codes[:, None] == codes[None]).astype(np.float64)
        return same

    def _shared(self, sds: Mapping[str, float]) -> Array:
        parts = [
            sds[level] ** 2 * self._same([names[i] for names in self.names])
            for i, level in enumerate(LEVELS)
        ]
        whole: Array = np.sum(parts, axis=0)
        return whole

    def _make_noise(self, one: Array, many: Array) -> None:
        """Noise from the standard deviations of each row's model and family."""
        self.spread = {"model": one, "family": many}
        noise = self.prior.noise[0] ** 2 * np.eye(len(self.samples))
        noise += _MODEL_POOL**2 * self._same([(s.pool, s.row["model"]) for s in self.samples])
        for level, each in self.spread.items():
            noise += self._same(self.labels[level]) * each[:, None] * each[None]
        self.noise, self.inverse = noise, np.linalg.inv(noise)

    def solve(self) -> Fitted:
        """The fit, then the tails of its deviations, in turns."""
        for _ in range(_TURNS):
            self._stretch(*self._steps())
        return self._effects(*self._steps())

    def _stretch(self, a: Array, b: Array) -> None:
        """Wider deviations for the models and families that are far from the fit."""
        weights = self.inverse @ self._off(a, b)
        wide = {}
        for level, usual in zip(("model", "family"), self.prior.noise[1:], strict=True):
            own = self._same(self.labels[level]) @ weights * self.spread[level] ** 2
            wide[level] = np.sqrt((_TAILS * usual**2 + own**2) / (_TAILS + 1))
        self._make_noise(wide["model"], wide["family"])

    def _steps(self) -> tuple[Array, Array]:
        """Steps from much noise to little, halved while they do not help."""
        count = len(self.samples)
        a, b = np.zeros((count, len(FEATURES))), np.zeros(count)
        for step in range(_STEPS):
            heat = max(1.0, 64.0 / 4.0**step)
            noise, inverse = self.noise * heat, self.inverse / heat
            before = self._badness(a, b, inverse)
            to_a, to_b = self._newton(a, b, noise)
            size = 1.0
            while size > 0.005:
                next_a, next_b = a + size * (to_a - a), b + size * (to_b - b)
                after = self._badness(next_a, next_b, inverse)
                if after < before:
                    break
                size /= 2
            else:
                if heat == 1.0:
                    break
                continue
            a, b = next_a, next_b
            if heat == 1.0 and before - after < _ENOUGH:
                break
        return a, b

    def _off(self, a: Array, b: Array) -> Array:
        """How far (logarithm) the rows are above the fit."""
        deviations, scale = self._state(a, b)
        off: Array = self.y - np.log((np.exp(deviations) * self.x).sum(1)) - scale
        return off

    def _state(self, a: Array, b: Array) -> tuple[Array, Array]:
        deviations = (self.vary @ a) @ self.shape + (a.sum(0) @ self.base)[None]
        return np.clip(deviations, -10, 10), self.start + self.scales @ b

    def _badness(self, a: Array, b: Array, inverse: Array) -> float:
        deviations, scale = self._state(a, b)
        off = self._off(a, b)
        return float(off @ inverse @ off + (a * deviations).sum() + b @ (scale - self.start))

    def _newton(self, a: Array, b: Array, noise: Array) -> tuple[Array, Array]:
        deviations, _ = self._state(a, b)
        terms = np.exp(deviations) * self.x
        share = terms / terms.sum(1, keepdims=True)
        target = self.y - np.log(terms.sum(1)) - self.start + (share * deviations).sum(1)
        kernel = share @ self.base @ share.T + (share @ self.shape @ share.T) * self.vary
        weights = np.linalg.solve(kernel + self.scales + noise, target)
        return weights[:, None] * share, weights

    def _effects(self, a: Array, b: Array) -> Fitted:
        sums: dict[tuple[int, str], tuple[Array, float]] = {}
        for names, row, weight in zip(self.names, a, b, strict=True):
            for level, name in enumerate(names):
                old, total = sums.get((level, name), (np.zeros(len(FEATURES)), 0.0))
                sums[level, name] = (old + row, total + float(weight))
        effects = {
            (level, name): (
                *(self.prior.shape[LEVELS[level]] ** 2 * row @ self.shape).tolist(),
                self.prior.scale[LEVELS[level]] ** 2 * weight,
            )
            for (level, name), (row, weight) in sums.items()
        }
        base = tuple((a.sum(0) @ self.base).tolist())
        return Fitted(base, self.start + _SCALE_SD**2 * float(b.sum()), effects)
