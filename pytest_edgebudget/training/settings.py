"""How long and how fast a pass trains: the parameters that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_edgebudget.types import Recipe, Step

if TYPE_CHECKING:  # passes import this module for their parameters
    from pytest_edgebudget.passes.base import Parameter, Pass

LIBRARIES = ("tensorflow", "keras", "numpy", "h5py")
"""Distributions whose versions decide what training ends at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Training in numbers.

    *learning_rate* is Adam's at the start; it falls to 0 along a cosine.
    *teacher_weight* is the share of the loss that comes from the float source
    model's softened answers (at *temperature*), the rest is from the labels.
    """

    epochs: int
    learning_rate: float = 1e-3
    batch_size: int = 32
    teacher: bool = False
    temperature: float = 3.0
    teacher_weight: float = 0.5
    seed: int = 0


def parameters(epochs: int, learning_rate: float = 1e-3, least: int = 0) -> tuple[Parameter, ...]:
    """The parameters of a pass that trains, with its own defaults; *least*: of epochs."""
    from pytest_edgebudget.passes.base import Parameter

    return (
        Parameter("epochs", int, "passes over the train data", epochs, least, 10_000),
        Parameter(
            "learning_rate",
            float,
            "Adam's at the start; it falls to 0 along a cosine",
            learning_rate,
            1e-8,
            1.0,
        ),
        Parameter("batch_size", int, "samples a step", 32, 1, 65_536),
        Parameter("teacher", bool, "learn from the float source model's answers, too", False),
        Parameter(
            "temperature",
            float,
            "with teacher=true: how much the answers are softened (Hinton et al. 2015)",
            3.0,
            1.0,
            20.0,
        ),
        Parameter(
            "teacher_weight",
            float,
            "with teacher=true: the teacher's share of the loss; the rest is the labels'",
            0.5,
            0.0,
            1.0,
        ),
        Parameter("seed", int, "of the order of the samples, and of dropout", 0, 0, 2**31 - 1),
    )


def settings_of(given: Mapping[str, float | int | str | bool]) -> Settings:
    """The settings among a step's arguments (`passes._arguments.arguments`)."""
    return Settings(
        epochs=int(given["epochs"]),
        learning_rate=float(given["learning_rate"]),
        batch_size=int(given["batch_size"]),
        teacher=bool(given["teacher"]),
        temperature=float(given["temperature"]),
        teacher_weight=float(given["teacher_weight"]),
        seed=int(given["seed"]),
    )


def epochs_of(recipe: Recipe, passes: Mapping[str, Pass]) -> int:
    """
    Epochs that the steps of *recipe* train in all: those of its float control.

    ``finetune(epochs=epochs_of(...))`` of the same source is what a trained
    recipe is to be compared with: more training alone may be what helped.
    """
    return sum(step_epochs(step, passes[step.name]) for step in recipe.steps)


def step_epochs(step: Step, chosen: Pass) -> int:
    """Epochs of one step; 0 for a pass that does not train."""
    from pytest_edgebudget.passes._arguments import arguments

    if not chosen.trains:
        return 0
    return int(float(arguments(step, chosen.parameters).get("epochs", 0)))
