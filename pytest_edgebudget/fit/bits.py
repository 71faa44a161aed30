"""Bits by layer for one model: what they save, how much harm they do, which to take."""

from __future__ import annotations

from functools import cached_property

from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.fit.bench import Bench
from pytest_edgebudget.fit.knapsack import Choice, Offer, cheapest, frontier
from pytest_edgebudget.fit.space import Space
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.jobs import run
from pytest_edgebudget.passes.mixed import FOUR, layers
from pytest_edgebudget.types import Recipe

TIMEOUT = 120.0
ALIGNED = 16
"""Bytes to which a buffer of a flatbuffer may be filled up."""


class Bits:
    """Trades bits of layers for harm; sensitivities are measured once, when they are asked for."""

    def __init__(self, bench: Bench, graph: Graph, space: Space) -> None:
        self._bench = bench
        self._graph = graph
        self._space = space

    def for_size(self, limit: float) -> Recipe | None:
        """The least harm whose file has *limit* bytes at most; None where none has."""
        if self._eight is None:
            return None
        found = cheapest(self._frontier, self._eight - limit)
        return self._recipe(found) if found is not None and found.layers else None

    def below(self, size: float) -> tuple[Recipe, ...]:
        """All undominated choices whose file is smaller than *size*, least harm first."""
        if self._eight is None:
            return ()
        found = [c for c in self._frontier if c.layers and self._eight - c.saved < size]
        return tuple(self._recipe(choice) for choice in found)

    def _recipe(self, choice: Choice) -> Recipe:
        marks = ["8"] * len(layers(self._graph))
        for index in choice.layers:
            marks[self._places[index]] = "4"
        return self._space.mixed("".join(marks))

    @cached_property
    def _places(self) -> tuple[int, ...]:
        """Layers that may have 4 bits, by their place among those with weights."""
        found = enumerate(layers(self._graph))
        return tuple(place for place, weight in found if weight.op.kind in FOUR)

    @cached_property
    def _eight(self) -> int | None:
        """Bytes of the file with 8 bits everywhere; None where it cannot be built."""
        try:
            return self._bench.build(
                parse_recipe("int8+clean", self._bench.passes), tried=False
            ).size
        except EdgeBudgetError:
            return None

    @cached_property
    def _frontier(self) -> tuple[Choice, ...]:
        weights = layers(self._graph)
        saved = [(weights[place].tensor.elements or 0) // 2 for place in self._places]
        offers = [
            Offer(max(each - ALIGNED, 0), harm)
            for each, harm in zip(saved, self._harms(), strict=True)
        ]
        return frontier(offers)

    def _harms(self) -> list[float]:
        """
        How much each layer minds 4 bits; by its bytes where that cannot be measured.

        Large layers have many weights for each output, whose errors cancel out.
        """
        data = self._bench.data
        assert data is not None
        payload = {
            "model": str(self._bench.source.path),
            "data": str(data.path),
            "arrays": [str(name) for name in data.named("x_calibration")],
            "layers": [int(place) for place in self._places],
        }
        self._bench.say(f"{self._bench.model.name}: measuring how much each layer minds 4 bits")
        try:
            found = run(
                "pytest_edgebudget.fit.sensitivity:measure",
                payload,  # type: ignore[arg-type]
                root=self._bench.root,
                timeout=TIMEOUT,
                purpose="measuring how much each layer minds 4 bits",
            )
        except EdgeBudgetError:
            found = None
        if isinstance(found, list) and all(isinstance(each, float) for each in found):
            return [float(str(each)) for each in found]
        weights = layers(self._graph)
        return [1 / (weights[place].tensor.elements or 1) for place in self._places]
