"""Which recipes ``optimize = "fit"`` looks at, least harm first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.devices.recipes import ANYWHERE, recipes_of
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes._weights import weights
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.types import DeviceChoice, Recipe

TFLITE = ("none", "float16", "weights_int8", "dynamic_int8", "int16x8", "int8")
ONNX = (
    "none",
    "float16",
    "weights_int8",
    "dynamic_int8",
    "int16x8",
    "int8",
    "int8(form=qoperator)",
    "int8(per_channel=false, form=qoperator)",
)
HARSH = ("int4_weights",)
"""For runtimes that run all of ANYWHERE; what it is for others is not known."""

ORDERED = {"tflite": TFLITE, "onnx": ONNX}
"""By how much they usually cost in accuracy, the least first."""

DOWNLOADS = ("prune(0.1)", "cluster(64)", "cluster(32)", "prune(0.2)", "prune(0.3)")
"""Steps that only a download is smaller by, least harm first."""


@dataclass(frozen=True, slots=True)
class Space:
    """
    The recipes for one model on one device.

    *graph* is the source's; *passes* what there is; *calibrated* whether there are
    calibration samples.
    """

    graph: Graph
    choice: DeviceChoice
    passes: Mapping[str, Pass]
    calibrated: bool

    @property
    def float_source(self) -> bool:
        """Whether the source has weights, and all of them in float."""
        found = weights(self.graph)
        return bool(found) and all(w.tensor.dtype.startswith("float") for w in found)

    @property
    def anywhere(self) -> bool:
        """Whether the device runs any recipe of general use."""
        return recipes_of(self.choice) == ANYWHERE

    def base(self) -> tuple[Recipe, ...]:
        """Recipes of one pass, least harm first."""
        return tuple(self._base())

    def _base(self) -> Iterator[Recipe]:
        if not self.float_source:
            yield self._recipe("none")
            return
        allowed = {"none", *recipes_of(self.choice)}
        for text in ORDERED.get(self.graph.format, ("none",)):
            recipe = self._recipe(text)
            if recipe.steps[0].name in allowed and self.usable(recipe):
                yield recipe
        for text in recipes_of(self.choice):  # those of one kind of device
            if text not in ANYWHERE:
                yield self._recipe(text)

    def harsh(self) -> tuple[Recipe, ...]:
        """Recipes that often cost much accuracy, least harm first."""
        if not (self.float_source and self.anywhere):
            return ()
        return tuple(r for text in HARSH if self.usable(r := self._recipe(text)))

    def usable(self, recipe: Recipe) -> bool:
        """Whether its passes know the format, and have the data that they need."""
        chosen = [self.passes[step.name] for step in recipe.steps if step.name in self.passes]
        return len(chosen) == len(recipe.steps) and all(
            self.graph.format in each.formats and (self.calibrated or not each.calibrated)
            for each in chosen
        )

    def mixes(self) -> bool:
        """Whether layers may have bits of their own."""
        return (
            self.graph.format == "tflite"
            and self.float_source
            and self.anywhere
            and self.calibrated
            and "mixed" in self.passes
        )

    def cleaned(self, recipe: Recipe) -> Recipe | None:
        """The recipe with what no runtime reads left out; None where that is no use."""
        if any(step.name == "clean" for step in recipe.steps):
            return None
        text = "clean" if str(recipe) == "none" else f"{recipe}+clean"
        found = self._recipe(text)
        return found if self.usable(found) else None

    def downloads(self, recipe: Recipe) -> Iterator[Recipe]:
        """The recipe with weights that compress better, least harm first."""
        for text in DOWNLOADS:
            prunes = text.startswith("prune")
            parts = [text] if str(recipe) == "none" else [str(recipe), text]
            # Zeros of a float model stay zeros; clusters are lost by quantizing.
            found = self._recipe("+".join(parts[::-1] if prunes else parts))
            if self.usable(found):
                yield found

    def mixed(self, bits: str) -> Recipe:
        """The recipe with so many bits for each layer."""
        return self._recipe(f"mixed({bits})+clean")

    def _recipe(self, text: str) -> Recipe:
        return parse_recipe(text, self.passes)
