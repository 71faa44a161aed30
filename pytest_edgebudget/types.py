"""
The words of the field, as frozen values without I/O.

Inside, everything is SI and plain numbers: bytes, seconds, joules, fractions.
Words, KiB and ms exist only in `units` and in reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path

from pytest_edgebudget.errors import Place


class Unit(StrEnum):
    """What a number counts; the value is the SI unit it is stored in."""

    BYTES = "B"
    SECONDS = "s"
    JOULES = "J"
    FRACTION = "fraction"  # 0..1, shown in percent; differences in pp
    COUNT = "count"
    NUMBER = "number"  # a plain number: an error, a loss, a score of one's own


class Better(StrEnum):
    """The direction in which a metric improves."""

    LOWER = "lower"
    HIGHER = "higher"


class Evidence(StrEnum):
    """Where a number comes from. See DESIGN: a number without it does not exist."""

    EXACT = "exact"  # computed, provably the runtime's own number
    MEASURED = "measured"  # on the device
    HOST = "host"  # measured here, as a stand-in for the device
    EMULATED = "emulated"  # the device's own instructions or arithmetic
    ESTIMATED = "estimated"  # a fitted model, with its band


class Outcome(StrEnum):
    """What became of a limit."""

    KEPT = "kept"
    BROKEN = "broken"
    UNDECIDED = "undecided"  # a bound lies inside low..high of a noisy reading
    UNMEASURED = "unmeasured"


Key = tuple[tuple[str, str], ...]
"""The comparison key of a reading: sorted (name, value) pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    One number with its evidence.

    Attributes:
        metric: the metric's name.
        value: in the metric's SI unit.
        low, high: the interval; equal to *value* for exact numbers.
        evidence: where the number comes from.
        noisy: whether another run may read another value. A limit inside
            low..high of a noisy reading is undecided; a reading that is not
            noisy (a size, an accuracy on declared samples) is judged by its
            value, and its interval is information.
        key: under which the reading may be compared with another.
        note: one line that a reader must know ("1 slow worker set aside").
        layers: shares of the value by layer, largest first, in the same unit.
    """

    metric: str
    value: float
    low: float
    high: float
    evidence: Evidence
    noisy: bool = False
    key: Key = ()
    note: str = ""
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer's share of a metric: *name*, *kind* of op, *value* in its unit."""

    name: str
    kind: str
    value: float


@dataclass(frozen=True, slots=True)
class Missing:
    """A metric that was not read, and why (and what would make it readable)."""

    metric: str
    reason: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was read of one artifact on one device."""

    readings: Mapping[str, Reading]
    missing: Mapping[str, Missing]


# --- recipes -----------------------------------------------------------------


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


# --- budgets -----------------------------------------------------------------


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
class ModelBudget:
    """
    What one model may cost on one device.

    *optimize* is empty when the model is gated as it is. *state* is "reset"
    (between samples, the default) or "carried".
    """

    name: str
    source: Source
    data: Source | None = None
    optimize: tuple[Recipe, ...] = ()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """
    The facts about a kind of device, from a TOML file.

    Attributes:
        name: such as "raspberry-pi-4"; "host" is the machine that runs this.
        title: in words.
        runtimes: what runs models there, preferred first.
        cores, clock_hz: of the CPU; None when not known (host).
        ram: bytes of main memory, None when not known.
        cpu: the core's name, such as "Cortex-A72".
        default_run: how a model runs when the budget does not say.
        sources: where the facts come from.
    """

    name: str
    title: str
    runtimes: tuple[str, ...]
    cpu: str = ""
    cores: int | None = None
    clock_hz: float | None = None
    ram: int | None = None
    default_run: str = "host"
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChoice:
    """The ``[device]`` table: a profile, how to run there, with how many threads."""

    profile: Profile
    run: str
    threads: int = 1
    runtime: str | None = None
    python: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One budget file, read and checked."""

    path: Path
    device: DeviceChoice
    models: tuple[ModelBudget, ...]
    groups: tuple[GroupBudget, ...] = ()

    @property
    def parts(self) -> tuple[ModelBudget | GroupBudget, ...]:
        """Whatever has limits, in the order of the file: models, then groups."""
        return (*self.models, *self.groups)


# --- artifacts and verdicts ---------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """
    The file that a recipe became.

    *path* lies in the cache and is never changed; *sha256* addresses it;
    *size* is in bytes and counts *external* data files too.
    """

    recipe: Recipe
    path: Path
    sha256: str
    size: int
    external: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def format(self) -> str:
        """``tflite`` or ``onnx``."""
        return self.path.suffix.removeprefix(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """
    One bound of a limit after judging.

    *kind* is max, min, max_drop or max_regression; *bound* is the value that
    the reading must not pass, in the metric's unit; *headroom* is how far the
    reading is from it, as a fraction of the bound (negative when broken).
    """

    kind: str
    bound: float
    headroom: float
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    A limit, judged.

    *outcome* is the worst of *bounds*; *fails* says whether the test fails
    (a warning, a waiver or an accepted "undecided" does not).
    """

    model: str
    limit: Limit
    outcome: Outcome
    fails: bool
    bounds: tuple[Bound, ...] = ()
    reading: Reading | None = None
    before: Reading | None = None
    reason: str = ""
    waiver: Waiver | None = None
    waiver_note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """
    One candidate that was tried.

    *state*: "chosen", "rejected" (a limit surely broken; *binding* says which)
    or "failed" (could not be built; *reason* says why). *excess* is the largest
    overrun among the binding limits, as a fraction of its bound: the candidate
    with the least is the closest.
    """

    recipe: Recipe
    state: str
    artifact: Artifact | None = None
    readings: Mapping[str, Reading] = field(default_factory=dict)
    binding: tuple[str, ...] = ()
    excess: float = 0.0
    reason: str = ""
    seconds: float = 0.0
    from_lock: bool = False
