"""
What can be found out about an artifact: the raw material of metrics.

A metric names the one kind of facts that it reads (`Metric.needs`); `measure`
gathers each kind once, and only the kinds that somebody asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_edgebudget.graph.arena import Plan

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
else:
    Array = Any


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The artifact as bytes: *path*, *size* in bytes, *external* data files."""

    path: Path
    size: int
    external: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """
    Where the artifact's activations lie in memory.

    *plan* is that of *runtime* with the set of *kernels* that the profile
    names ("": the runtime's own choice).
    """

    plan: Plan
    runtime: str
    kernels: str = ""


@dataclass(frozen=True, slots=True)
class Predictions:
    """
    What the artifact answered on one split of the data.

    Every array's first axis is the samples. *outputs* are floats (quantized
    outputs already by their own scale and zero point), keyed by output name,
    in the model's order; *inputs* likewise. *labels* are keyed by output name,
    or by ``""`` when the data has one unnamed ``y``; empty without labels.
    *source* holds the source model's outputs on the same samples, when a
    metric compares with it.
    """

    outputs: Mapping[str, Array]
    inputs: Mapping[str, Array]
    labels: Mapping[str, Array]
    source: Mapping[str, Array] | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """
    Seconds of each invoke alone, input in place; one tuple a fresh worker.

    *set_aside*: workers left out because the whole process ran slowly.
    """

    workers: tuple[tuple[float, ...], ...]
    set_aside: int = 0

    @property
    def runs(self) -> tuple[float, ...]:
        """All runs of all workers."""
        return tuple(run for worker in self.workers for run in worker)


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """
    What the model added to a warmed worker, in bytes; one entry a fresh worker.

    *anonymous*: peak anonymous memory; *mapped*: the touched part of the
    model's own mapping.
    """

    anonymous: tuple[int, ...]
    mapped: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StartupFacts:
    """Seconds from "worker ready" to the first output; one entry a fresh worker."""

    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class InstructionFacts:
    """Instructions of one inference, counted by *tool* (name and version)."""

    count: float
    tool: str
