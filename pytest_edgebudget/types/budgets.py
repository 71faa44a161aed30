"""What a budget file says: devices, models, limits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from pytest_edgebudget.errors import Place
from pytest_edgebudget.types.calibrations import Calibration
from pytest_edgebudget.types.readings import Better, Evidence
from pytest_edgebudget.types.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Tolerance:
    """
    How much something may change.

    *relative*: *amount* is a fraction of the other value (``"2%"`` is 0.02);
    otherwise it is in the metric's unit (``"1 pp"`` is 0.01, ``"1 KiB"`` 1024).
    """

    amount: float
    relative: bool

    def of(self, value: float) -> float:
        """The tolerance in the metric's unit, seen from *value*."""
        return abs(value) * self.amount if self.relative else self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """
    The bounds of one metric, and how they are judged.

    Attributes:
        metric: the metric's name.
        max, min: in the metric's unit; both may be given.
        max_drop: how much worse than the source model, on the same samples.
        max_regression, min_change: how much worse than the locked reading;
            both must be exceeded.
        anchor: a git reference that max_regression holds against, too.
        ratchet: never worse than the lock, and better must be written into it.
        evidence: which evidence is accepted.
        level: "error" or "warn": a broken warning is yellow and does not fail.
        undecided: "pass" or "fail".
        when_missing: "fail" or "skip".
        confidence: judge the interval at this confidence instead of the value.
        options: the metric's own options, such as k or slices.
        place: where it was written.
    """

    metric: str
    max: float | None = None
    min: float | None = None
    max_drop: Tolerance | None = None
    max_regression: Tolerance | None = None
    min_change: Tolerance | None = None
    anchor: str = ""
    ratchet: bool = False
    evidence: tuple[Evidence, ...]
    level: str = "error"
    undecided: str = "pass"
    when_missing: str = "fail"
    confidence: float | None = None
    options: tuple[tuple[str, float | int | str], ...] = ()
    place: Place

    @property
    def name(self) -> str:
        """What items and reports call it: ``accuracy``, or ``accuracy[speaker]``."""
        slices = dict(self.options).get("slices")
        return f"{self.metric}[{slices}]" if slices else self.metric


@dataclass(frozen=True, slots=True)
class Waiver:
    """A limit knowingly broken until a day, with the reason."""

    metric: str
    reason: str
    until: date
    place: Place


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """``package.module:function``, as a user writes it."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


Source = Path | FunctionRef
"""A model or data: a file (or a SavedModel folder), or a function that returns it."""


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """A quality metric of the user's own."""

    name: str
    function: FunctionRef
    better: Better
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class FitChoice:
    """
    How ``optimize = "fit"`` searches: the table ``[models.NAME.fit]``.

    Attributes:
        objective: the metric to be best at, of what keeps every limit; "": the
            first that does, least harm first.
        max_trials: candidates that are built at most.
        max_time: seconds after which no other candidate is begun; None: no end.
        train: whether passes that train may be tried.
    """

    objective: str = ""
    max_trials: int = 60
    max_time: float | None = None
    train: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """
    One thing that ``tune`` chooses: a number from *low* to *high*, or one of *choices*.

    Whole numbers between two whole ones; *log*: on a logarithmic scale.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[float | int | str | bool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """
    What ``tune`` needs to know of a model and its budget.

    Attributes:
        function: builds the model; takes names of *space* as keywords.
        space: what is chosen.
        bounds: metric (size, macs, arena) to the most that it may be.
        planner, kernels: how the device plans memory, for the arena.
    """

    function: FunctionRef
    space: tuple[Dimension, ...]
    bounds: tuple[tuple[str, float], ...] = ()
    planner: str = ""
    kernels: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBudget:
    """
    What one model may cost on one device.

    *optimize* is empty when the model is gated as it is, or when *fit* says that
    recipes are searched for. *tune* is the space that the pass of this name
    searches. *state* is "reset" (between samples, the default) or
    "carried".
    """

    name: str
    source: Source
    data: Source | None = None
    optimize: tuple[Recipe, ...] = ()
    fit: FitChoice | None = None
    tune: tuple[Dimension, ...] = ()
    limits: tuple[Limit, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    own_metrics: tuple[OwnMetric, ...] = ()
    state: str = "reset"
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupBudget:
    """Joint limits of several models that live in one device."""

    name: str
    models: tuple[str, ...]
    limits: tuple[Limit, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Region:
    """
    One region of a device's memory: *name*, *kind* ("ram" or "flash"), *size* in bytes.

    *address* is where it begins, when the profile says so: regions of a kind
    that touch are one piece to a linker.
    """

    name: str
    kind: str
    size: int
    address: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What somebody measured on the device: seconds and joules of an inference of *model*."""

    model: str
    latency: float | None = None
    energy: float | None = None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """
    The facts about a kind of device, from a TOML file.

    Attributes:
        name: such as "raspberry-pi-4"; "host" is the machine that runs this.
        title: in words.
        runtimes: what runs models there: one for each format of models, then
            the alternatives that ``[device] runtime`` may choose.
        cores, clock_hz: of the CPU; None when not known (host).
        ram: bytes of main memory, None when not known.
        regions: of memory, where it is not one piece (microcontrollers).
        kernels: the kernels that its runtime uses, such as "reference",
            "cmsis-nn", "xnnpack"; "" for the runtime's own default.
        accelerator: what takes ops off the CPU, such as "ethos-u55-128",
            "edge-tpu", "gpu-delegate"; "" for none.
        vela_system, vela_memory, vela_config: of an Ethos-U: the sections of
            Vela's configuration, and the file where it is not ``Arm/vela.ini``.
        cpu: the core's name, such as "Cortex-A72".
        luts, flip_flops, dsps, block_ram: what an FPGA has: look-up tables,
            registers of a bit, multipliers, bytes of its memory blocks.
        chip: of an FPGA for which open tools place and route; "" for others.
        default_run: how a model runs when the budget does not say: "host", or
            "static" where there is no way yet to run one.
        sources: where the facts come from, as "fact: source" or a plain source.
        published: what others measured there: to be read, never a reading.
        calibrations: costs that `edgebudget calibrate` fitted there.
        idle_power, battery: watts while it waits, joules that its battery gives; None
            when not known.
    """

    name: str
    title: str
    runtimes: tuple[str, ...]
    cpu: str = ""
    cores: int | None = None
    clock_hz: float | None = None
    ram: int | None = None
    luts: int | None = None
    flip_flops: int | None = None
    dsps: int | None = None
    block_ram: int | None = None
    chip: str = ""
    default_run: str = "host"
    sources: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    kernels: str = ""
    accelerator: str = ""
    vela_system: str = ""
    vela_memory: str = ""
    vela_config: str = ""
    published: tuple[Published, ...] = ()
    calibrations: tuple[Calibration, ...] = field(default=(), hash=False)  # it holds mappings
    idle_power: float | None = None
    battery: float | None = None

    def largest(self, kind: str) -> int | None:
        """
        Bytes of the largest region of *kind*; None when nothing is known.

        Regions whose addresses touch count as one.
        """
        sizes = self._pieces(kind)
        return max(sizes) if sizes else self.ram if kind == "ram" else None

    def _pieces(self, kind: str) -> list[int]:
        found = [region for region in self.regions if region.kind == kind]
        sizes = [region.size for region in found if region.address is None]
        placed = sorted((r.address, r.size) for r in found if r.address is not None)
        end = -1
        for address, size in placed:
            if address == end:
                sizes[-1] += size
            else:
                sizes.append(size)
            end = address + size
        return sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChoice:
    """
    The ``[device]`` table: a profile, how to run there, with how many threads.

    Attributes:
        run: a way by name ("host", "emulate"), or an address whose scheme is
            one ("ssh://pi@pi4.local").
        runtime, python: which of the profile's runtimes, in which interpreter.
        samples: run so many samples of the test split, spread over all of it.
        sustained: seconds of load before anything is timed.
        delegate: "gpu", or the library of an external delegate.
        benchmark: LiteRT's benchmark_model, built for a phone: a file of this machine.
        provider: an execution provider of ONNX Runtime.
        options: of the delegate or the provider.
        energy_command: a program that prints joules of a counter, or watts now.
    """

    profile: Profile
    run: str
    threads: int = 1
    runtime: str | None = None
    python: str | None = None
    samples: int | None = None
    sustained: float | None = None
    delegate: str | None = None
    provider: str | None = None
    benchmark: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    energy_command: tuple[str, ...] = ()

    @property
    def way(self) -> str:
        """The way to run: *run* without what follows its scheme."""
        return self.run.partition("://")[0]

    @property
    def beside(self) -> str:
        """What runs models beside the CPU, in words; empty for nothing."""
        named = (("delegate", self.delegate), ("provider", self.provider))
        return ", ".join(f"{key} {value}" for key, value in named if value)

    @property
    def runtimes(self) -> tuple[str, ...]:
        """The runtime that was chosen alone, else the profile's."""
        return (self.runtime,) if self.runtime else self.profile.runtimes

    @property
    def narrowed(self) -> Profile:
        """The profile with these runtimes only."""
        return replace(self.profile, runtimes=self.runtimes)


LINT = "lint"
"""The name of a model's item of the linter; no metric may have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LintChoice:
    """
    The ``[lint]`` table: which rules look at the models, and what a finding does.

    Attributes:
        level: "error": a finding of that severity fails; "warn": none fails;
            "off": there is no lint item.
        select, ignore: codes or their beginnings; no *select* is all.
        places: where each of these codes is written.
    """

    level: str = "error"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    places: tuple[tuple[str, Place], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One budget file, read and checked."""

    path: Path
    device: DeviceChoice
    models: tuple[ModelBudget, ...]
    groups: tuple[GroupBudget, ...] = ()
    lint: LintChoice = LintChoice()

    @property
    def parts(self) -> tuple[ModelBudget | GroupBudget, ...]:
        """Whatever has limits, in the order of the file: models, then groups."""
        return (*self.models, *self.groups)
