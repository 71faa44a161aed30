"""Chains of passes, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One pass of a recipe with its arguments: ``prune(0.3)``, ``qat(epochs=3)``."""

    name: str
    args: tuple[float | int | str | bool, ...] = ()
    options: tuple[tuple[str, float | int | str | bool], ...] = ()

    def __str__(self) -> str:
        words = [_word(arg) for arg in self.args]
        words += [f"{key}={_word(value)}" for key, value in self.options]
        return f"{self.name}({', '.join(words)})" if words else self.name


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A chain of passes, plain data. Its text is its name: ``prune(0.3)+int8``."""

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "+".join(str(step) for step in self.steps)


AS_IT_IS = Recipe((Step("none"),))
"""The recipe of a model that is not changed."""
