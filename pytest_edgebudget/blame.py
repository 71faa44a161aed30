"""Which layers a broken limit is about."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_edgebudget import graph
from pytest_edgebudget.facts import InstructionFacts, MemoryFacts, StartupFacts, Timings
from pytest_edgebudget.graph.cost import bytes_by_layer, largest, layer_costs
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.types import Artifact, Layer, Outcome, Unit, Verdict

BYTES = frozenset({"size", "download_size", "model_flash"})
TIMES: tuple[type, ...] = (Timings, InstructionFacts)
MEMORY: tuple[type, ...] = (MemoryFacts, StartupFacts)


@dataclass(frozen=True, slots=True)
class Blame:
    """
    Shares by layer, largest first, of the metric *of* with its *unit*.

    *of* is another metric where the broken one is not known by layer: an
    invoke is timed as a whole, and its arithmetic is what layers differ in.
    """

    of: str
    unit: Unit
    layers: tuple[Layer, ...]


def blame(verdict: Verdict, metric: Metric, artifact: Artifact | None) -> Blame | None:
    """
    The layers behind a broken limit; None where it is not broken or says nothing.

    A joint limit has no *artifact* of its own: its reading names the models.
    """
    if verdict.outcome is not Outcome.BROKEN:
        return None
    if verdict.reading and verdict.reading.layers:
        return Blame(metric.name, metric.unit, verdict.reading.layers)
    if artifact is None or artifact.format == "keras":  # which is not read by layer
        return None
    if metric.name in BYTES or metric.needs in MEMORY:
        return Blame("size", Unit.BYTES, bytes_by_layer(graph.read(artifact.path)))
    if metric.needs in TIMES:
        costs = layer_costs(graph.read(artifact.path))
        return Blame("macs", Unit.COUNT, largest(costs, "macs"))
    return None
