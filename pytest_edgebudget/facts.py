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

from pytest_edgebudget.graph.arena import Arena, Band, Plan
from pytest_edgebudget.types import Evidence, Key, Layer

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
    names ("": the runtime's own choice). *arena* is the smallest in which the
    model ran, where it was run; *note* says what it is made of.
    """

    plan: Plan
    runtime: str
    kernels: str = ""
    arena: Arena | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Predictions:
    """
    What the artifact answered on one split of the data.

    Every array's first axis is the samples. *outputs* are floats (quantized
    outputs already by their own scale and zero point), keyed by output name,
    in the model's order; *inputs* likewise. *labels* are keyed by output name,
    or by ``""`` when the data has one unnamed ``y``; empty without labels.
    *source* holds the source model's outputs on the same samples, when a
    metric compares with it. *evidence*: where it is not that of the device.
    """

    outputs: Mapping[str, Array]
    inputs: Mapping[str, Array]
    labels: Mapping[str, Array]
    source: Mapping[str, Array] | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinAnswers:
    """
    What the artifact answers on the device (*there*) and on this machine (*here*).

    Outputs by name, the first axis the same samples, as in `Predictions`.
    *twin*: runtime, version and CPU of this machine.
    """

    there: Mapping[str, Array]
    here: Mapping[str, Array]
    twin: str


@dataclass(frozen=True, slots=True)
class Timings:
    """
    Seconds of each invoke alone, input in place; one tuple a fresh worker.

    *set_aside*: workers left out because the whole process ran slowly.
    *notes*: what a reader must know of the device meanwhile; *widen*: by which
    part of the value the interval grows on either side for it.
    """

    workers: tuple[tuple[float, ...], ...]
    set_aside: int = 0
    notes: tuple[str, ...] = ()
    widen: float = 0.0

    @property
    def runs(self) -> tuple[float, ...]:
        """All runs of all workers."""
        return tuple(run for worker in self.workers for run in worker)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedCost:
    """
    What an inference takes on a device that is not there, in SI units: time or energy.

    *value* in *low*..*high*, an interval of 80 %. *note* names the rows behind it and
    what widened it; *key* is what decides the number beside the model; *layers* are
    the shares, largest first. *refused*: why the device itself does not tell.
    *seconds*: with an energy, how long it takes, and *above_idle* whether what the
    device draws anyway is left out of it.
    """

    value: float
    low: float
    high: float
    note: str
    key: Key
    refused: str
    layers: tuple[Layer, ...] = ()
    seconds: float = 0.0
    above_idle: bool = False


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """
    What the model added to a warmed worker, in bytes; one entry a fresh worker.

    *anonymous*: peak anonymous memory; *mapped*: the touched part of the
    model's own mapping.
    """

    anonymous: tuple[int, ...]
    mapped: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMemory:
    """
    Main memory that a device itself accounts for, in bytes, where no worker is weighed.

    *value* in *low*..*high* with its *evidence*; *note* says what it is made of.
    """

    value: float
    low: float
    high: float
    evidence: Evidence
    note: str


@dataclass(frozen=True, slots=True)
class StartupFacts:
    """Seconds from "worker ready" to the first output; one entry a fresh worker."""

    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class InstructionFacts:
    """
    Instructions of one inference, counted by *tool* (name and version).

    *note*: of what kinds they are. *layers*: those of each, largest first.
    """

    count: float
    tool: str
    note: str = ""
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """
    What a linker put into flash of a program with the model in it, in bytes.

    Attributes:
        code, constants: of kernels and whatever else runs.
        weights: the model's, with biases and scales.
        initial: values that are copied to RAM at the start.
        room: the device's flash in one piece; None where it is not known.
        evidence: EXACT of the firmware itself, EMULATED of a program that
            stands in for it.
        tool: compiler and version.
        program: what was linked, in words.
        layers: the weights of each layer, largest first.
    """

    code: int
    constants: int
    weights: int
    initial: int
    room: int | None
    evidence: Evidence
    tool: str
    program: str
    layers: tuple[Layer, ...] = ()

    @property
    def flash(self) -> int:
        """All of it."""
        return self.code + self.constants + self.weights + self.initial


@dataclass(frozen=True, slots=True)
class Work:
    """So many operators (*ops*), with so many multiply-accumulates (*macs*)."""

    ops: int
    macs: int


@dataclass(frozen=True, slots=True)
class OffOp:
    """
    An operator that an accelerator does not run.

    *name* and *kind* as the model has them; *macs* of one inference, None where
    they cannot be counted; *reason*: why it is not taken, as a clause.
    """

    name: str
    kind: str
    macs: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementFacts:
    """
    What of a model an accelerator runs, and what falls back on the processor beside it.

    Attributes:
        accelerator: in words, such as "the Edge TPU".
        total: all operators that run somewhere, and those of their
            multiply-accumulates that can be counted.
        off: the operators that the accelerator does not run, in the order of the
            model; those without a reason of their own have the one before them.
        partitions: how many pieces of the model the accelerator gets.
        evidence: EXACT of the compiler that makes what runs, MEASURED or EMULATED
            of a run that was looked at, ESTIMATED of published constraints.
        tool: what told, and its version.
        uncounted: operators on the accelerator whose multiply-accumulates cannot
            be counted.
        least, most: what is off at the least and at the most, where it is not
            sure; None: what *off* adds up to.
        off_chip: bytes of parameters that the accelerator fetches in each
            inference since its own memory does not hold them; None where it does
            not work like that, or nothing is known.
        notes: what a reader must know beside it.
    """

    accelerator: str
    total: Work
    off: tuple[OffOp, ...]
    partitions: int
    evidence: Evidence
    tool: str
    uncounted: int = 0
    least: Work | None = None
    most: Work | None = None
    off_chip: Band | None = None
    notes: tuple[str, ...] = ()

    @property
    def fallen(self) -> Work:
        """What *off* adds up to, of what can be counted."""
        return Work(len(self.off), sum(op.macs or 0 for op in self.off))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyFacts:
    """
    Energy of a device while a model runs on it, and while it idles.

    Attributes:
        windows: joules and seconds of each repetition.
        idle: watts before and after them.
        runs: inferences in a repetition.
        domain: what of the device was measured.
        notes, widen: as in `Timings`.
    """

    windows: tuple[tuple[float, float], ...]
    idle: tuple[float, float]
    runs: int
    domain: str
    notes: tuple[str, ...] = ()
    widen: float = 0.0

    @property
    def watts(self) -> float:
        """While the model runs, idle included."""
        return sum(joules for joules, _ in self.windows) / sum(s for _, s in self.windows)

    def above(self, idle: float) -> tuple[float, ...]:
        """Joules of an inference in each repetition, above *idle* watts."""
        return tuple((joules - idle * seconds) / self.runs for joules, seconds in self.windows)


@dataclass(frozen=True, slots=True)
class BatteryFacts:
    """
    What a battery runs: the *energy* of an inference, and what the profile knows.

    *idle*: watts while the device waits; *capacity*: joules; None where it says nothing.
    """

    energy: EnergyFacts | EstimatedCost
    idle: float | None
    capacity: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NpuFacts:
    """
    What an NPU's compiler estimates of that part of a model that the NPU runs.

    Attributes:
        sram: bytes of SRAM that the NPU works in.
        flash: bytes of constants outside of the SRAM: weights as it reads them.
        cycles: of the NPU's clock for one inference, waiting for memory included.
        seconds: the same by the *clock* (hertz) of the system that was compiled for.
        layers: the cycles by operator, the largest first.
        alone: operators that the CPU runs beside it; in none of these numbers.
        tool: what told, and its version.
        conditions: what it was told of the system, for the comparison key.
        notes: what a reader must know beside it.
    """

    sram: int
    flash: int
    cycles: int
    seconds: float
    clock: float
    alone: int
    tool: str
    layers: tuple[Layer, ...] = ()
    conditions: Key = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisFacts:
    """
    A model as logic, placed and routed on an FPGA.

    Attributes:
        cells: how many of "luts", "flip_flops", "dsps" and "block_rams" it takes.
        clocks: the fastest clock of each placement that was tried, in hertz.
        stages: registers in a row between an input and its answer.
        chip: as the profile names it.
        tool: what told, and its versions.
    """

    cells: Mapping[str, int]
    clocks: tuple[float, ...]
    stages: int
    chip: str
    tool: str
