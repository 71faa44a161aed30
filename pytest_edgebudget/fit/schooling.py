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
STEP = 0.1
ROOM = 1.1
"""Not all of a file is weights: a little more than the square law says."""

TRIED = 3
"""Fractions that are tried, each by how far the one before it was off."""


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
        """
        Recipes that train, the cheapest that can do first; none where none can.

        *trials* grows while they are tried: what became of one decides the next.
        """
        base = self._base(trials)
        if base is None:
            return
        gaps = set(base.binding) - self.quality
        if not gaps:
            yield from self._taught("", trials)
        elif gaps == {"download_size"}:
            yield from self._parsed(f"sparsify({share})" + self._tail for share in SPARSE)
        if gaps and gaps <= QUADRATIC | LINEAR:
            yield from self._narrowed(base, gaps, trials)

    def _narrowed(self, base: Trial, gaps: set[str], trials: Sequence[Trial]) -> Iterator[Recipe]:
        power = 2 if gaps <= QUADRATIC else 1
        left = math.exp(-ROOM * base.excess / power)
        for _ in range(TRIED):
            fraction = next((each for each in FRACTIONS if each >= 1 - left), None)
            found = list(self._parsed([f"channels({fraction})" + self._tail]))
            if fraction is None or not found:
                return
            yield found[0]
            trial = _trial_of(found[0], trials)
            if trial is None or not trial.binding:
                return
            if set(trial.binding) <= self.quality:
                yield from self._taught(f"channels({fraction})+", trials)
                return  # what cuts more loses more
            least = min(1 - fraction - STEP, (1 - fraction) * math.exp(-trial.excess / power))
            left = least

    def _taught(self, before: str, trials: Sequence[Trial]) -> Iterator[Recipe]:
        """Trained with the rounding of int8; by a teacher, too, where only quality is missing."""
        for recipe in self._parsed(self._trained_int8(before)):
            yield recipe
            trial = _trial_of(recipe, trials)
            if trial is None or not set(trial.binding) <= self.quality:
                return

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


def _trial_of(recipe: Recipe, trials: Sequence[Trial]) -> Trial | None:
    return next((trial for trial in trials if trial.recipe == recipe), None)
