"""Pruning while a model is trained: more and more of the smallest weights become zero."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pytest_edgebudget.facts import Array
from pytest_edgebudget.training.zeros import hold, kernels

GROUP = 4
"""Weights in a group of 2:4 and in a block of 1x4: neighbours along the inputs."""

RAMP = 0.5
"""Of all steps: from then on only the weights that are left are trained."""

TIMES = 40
"""So often the weights are looked at on the way."""


@dataclass(frozen=True, slots=True)
class Sparsity:
    """The *share* of each layer's weights that is to become zero, in a *pattern*."""

    share: float
    pattern: str = "none"

    def at(self, progress: float) -> float:
        """
        The share at *progress* (0 to 1): fast at first, slow at the end.

        s(1 - (1 - t)^3), Zhu and Gupta 2017, "To prune, or not to prune", equation 1.
        """
        left = 1.0 - min(progress / RAMP, 1.0)
        return self.share * (1.0 - left**3)

    def mask(self, values: Array, share: float) -> Array:
        """Which of *values* (a kernel of Keras: inputs on the axis before the last) stay."""
        if self.pattern == "none":
            return _largest(abs(values), share)
        grouped = _groups(values)
        if self.pattern == "1x4":
            return _spread(_largest(abs(grouped).sum(axis=-1), share)[..., None], values)
        zeros = min(int(share * GROUP + 1e-9), 2)
        order = abs(grouped).argsort(axis=-1, kind="stable").argsort(axis=-1, kind="stable")
        return _spread(order >= zeros, values)

    def fits(self, variable: Any) -> bool:
        """Whether the pattern can be laid on the kernel: its inputs come in fours."""
        return self.pattern == "none" or variable.shape[-2] % GROUP == 0


def _largest(sizes: Array, share: float) -> Array:
    """All but the smallest *share* of them, rounded up; the first of equal ones go first."""
    import numpy as np

    stay = np.ones(sizes.size, bool)
    order = sizes.reshape(-1).argsort(kind="stable")
    stay[order[: math.ceil(share * sizes.size - 1e-9)]] = False
    return stay.reshape(sizes.shape)


def _groups(values: Array) -> Array:
    """(..., inputs, outputs) to (..., outputs, inputs / 4, 4)."""
    turned = values.swapaxes(-1, -2)
    return turned.reshape(*turned.shape[:-1], -1, GROUP)


def _spread(stay: Array, values: Array) -> Array:
    """What stays of each group, in the shape of the kernel."""
    import numpy as np

    turned = values.swapaxes(-1, -2)
    full = np.broadcast_to(stay, _groups(values).shape).reshape(turned.shape)
    return full.swapaxes(-1, -2)


class Pruning:
    """Prunes the kernels of *model* while it is trained; called behind each step."""

    def __init__(self, model: Any, wanted: Sparsity) -> None:
        self.wanted = wanted
        self.kept = [
            (variable, hold(variable, variable.numpy() != 0))
            for variable in kernels(model)
            if wanted.fits(variable)
        ]
        self._first = True

    def __call__(self, step: int, steps: int) -> None:
        """Prune as far as the schedule is at *step* of *steps*."""
        every = max(1, int(RAMP * steps) // TIMES)
        if self._first:  # here, or where a killed training was
            for variable, kept in self.kept:
                kept.assign(variable.numpy() != 0)
        elif step % every == 0 or step == steps:
            self._prune(self.wanted.at(step / steps))
        self._first = False

    def _prune(self, share: float) -> None:
        for variable, kept in self.kept:
            kept.assign(self.wanted.mask(variable.numpy(), share))
            variable.assign(variable * kept + 0.0)  # -0.0 becomes 0.0, which packs better
