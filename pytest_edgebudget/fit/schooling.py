"""Which recipes that train can close the gap that the free ones left."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.types import Recipe, Trial

QUADRATIC = frozenset({"size", "download_size", "macs", "parameters", "model_flash", "flash"})
"""A layer loses inputs and outputs: both its weights and its work shrink by the square."""

LINEAR = frozenset({"arena", "ram", "latency", "latency_p95", "energy", "activation_plan"})
FRACTIONS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
SPARSE = (0.6, 0.75, 0.85)
ROOM = 1.1
"""Not all of a file is weights: a little more than the square law says."""

TRIED = 2
"""Fractions that are tried: the least that may do, and the next."""


@dataclass(frozen=True, slots=True)
class School:
    """
    What may be trained: *passes* that there are, *quality* the limits of quality.

    *format* is what the source was exported to, *integer* whether the device runs int8.
    """

    passes: Mapping[str, Pass]
    quality: frozenset[str]
    format: str
    integer: bool

    def recipes(self, trials: Sequence[Trial]) -> Iterator[Recipe]:
        """Recipes that train, the cheapest that can do first; none where none can."""
        base = self._base(trials)
        if base is None:
            return
        gaps = set(base.binding) - self.quality
        if not gaps:
            yield from self._parsed(self._trained_int8(""))
        elif gaps == {"download_size"}:
            yield from self._parsed(f"sparsify({share})" + self._tail for share in SPARSE)
        if gaps and gaps <= QUADRATIC | LINEAR:
            for fraction in _fractions(base, gaps):
                yield from self._parsed([f"channels({fraction})" + self._tail])
                yield from self._parsed(self._trained_int8(f"channels({fraction})+"))

    @property
    def _tail(self) -> str:
        return "+int8" if self.integer else ""

    def _trained_int8(self, before: str) -> list[str]:
        return [f"{before}qat+int8", f"{before}qat(teacher=true)+int8"] if self.integer else []

    def _base(self, trials: Sequence[Trial]) -> Trial | None:
        """The trial that the trained recipe starts from: the integer one, or the model itself."""
        wanted = ("int8", "int8+clean") if self.integer else ("none",)
        found = [trial for trial in trials if str(trial.recipe) in wanted and trial.binding]
        return min(found, key=lambda trial: trial.excess, default=None)

    def _parsed(self, texts: Iterator[str] | Sequence[str]) -> Iterator[Recipe]:
        for text in texts:
            try:
                recipe = parse_recipe(text, self.passes)
            except ValueError:  # a pass that is not there
                continue
            if all(self.format in self.passes[step.name].formats for step in recipe.steps):
                yield recipe


def _fractions(base: Trial, gaps: set[str]) -> Sequence[float]:
    """Shares of the channels that have to go; none where even the largest does too little."""
    power = 2 if gaps <= QUADRATIC else 1
    needed = 1 - math.exp(-ROOM * base.excess / power)
    return [fraction for fraction in FRACTIONS if fraction >= needed][:TRIED]
