"""
What a run found, as plain frozen rows that cross processes, and what a report is.

Rows hold plain Python types only: they travel from xdist's workers to the
controller, and into JSON, as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRow:
    """A reading; *value*, *low*, *high* in the metric's SI unit."""

    value: float
    low: float
    high: float
    evidence: str
    noisy: bool
    key: dict[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRow:
    """A bound, judged; *bound* and *headroom* are None when they are not known."""

    kind: str
    bound: float | None
    headroom: float | None
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRow:
    """
    How much worse than the source model the artifact is, sample by sample.

    *value*, *low*, *high* are in the metric's unit, positive where it is worse.
    *worse*: samples that were answered right before and are not now; *better*
    the other way; *p* that of the exact McNemar test; None for metrics without
    right and wrong. *worse_at*, *better_at*: the places of the first 100 of
    them in the split, from 0; the samples themselves are in no report.
    *needed*: about how many samples would decide an undecided limit.
    """

    value: float
    low: float
    high: float
    confidence: float
    samples: int
    method: str
    worse: int | None = None
    better: int | None = None
    p: float | None = None
    worse_at: tuple[int, ...] = ()
    better_at: tuple[int, ...] = ()
    needed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstRow:
    """
    A limit compared with another version of the model, *ref*, in the same run.

    *ratio*, *low*, *high*: the new model's time as a multiple of the old one's, in
    *workers* fresh processes that timed both in turns; *limit* is the largest
    that is allowed. *before* is the old model's reading where that was enough.
    """

    ref: str
    outcome: str
    text: str
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    evidence: str = ""
    workers: int = 0
    before: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRow:
    """A layer's share of a metric, in the metric's unit."""

    name: str
    kind: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceRow:
    """
    What one layer makes of a change; *before*, *after*: its shares in the two versions.

    *kind* is "" for what is no layer, named in brackets. *what*: how the layer
    itself changed; "" where only its share did.
    """

    name: str
    kind: str
    what: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRow:
    """
    The difference to an earlier version of the model, *since*, layer by layer.

    *of* is the metric that was taken apart, in *unit*, from *before* to *after*:
    the limit's own, or what it follows from. The *pieces*, largest first, add up to the
    difference; the first *enough* of them explain 90 % of it. *evidence*: exact, or
    estimated. *reason*: why nothing can be told; there are no pieces then.
    """

    since: str
    of: str = ""
    unit: str = ""
    evidence: str = ""
    before: float = 0.0
    after: float = 0.0
    pieces: tuple[PieceRow, ...] = ()
    enough: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixRow:
    """
    What would fix a broken limit, and what the reading would then be.

    *kind*: recipe (not tried yet), undo (of a layer's change), lint (a finding with its
    code), memory (another plan), threads, limit (a wider tolerance). *value* in
    *low*..*high* is predicted, in the metric's unit, with its *evidence*; None where it is
    not known. *enough*: yes, maybe (the limit lies inside), no, or "" where not known.
    """

    kind: str
    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    saves: float | None = None
    evidence: str = ""
    enough: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """
    One limit: an item of the run.

    *status* is what a reader sees: kept, broken, undecided, unmeasured, and
    warned, waived, skipped for limits that do not fail although they are not
    kept. *where* is the file and line in which the limit was written (an
    extended file, maybe). *layers* are the largest shares of the metric *layers_of*, in
    *layers_unit*, and *layers_total* is what all layers add up to. *changed* and *fixes*, best
    first, are there for broken limits.
    """

    id: str
    file: str
    model: str
    metric: str
    unit: str
    better: str
    outcome: str
    status: str
    fails: bool
    line: int
    where: str = ""
    after: ReadingRow | None = None
    before: ReadingRow | None = None
    bounds: tuple[BoundRow, ...] = ()
    reason: str = ""
    note: str = ""
    waiver: str = ""
    layers: tuple[LayerRow, ...] = ()
    layers_of: str = ""
    layers_unit: str = ""
    layers_total: float = 0.0
    against: AgainstRow | None = None
    anchor: AgainstRow | None = None
    drop: DropRow | None = None
    changed: ChangedRow | None = None
    fixes: tuple[FixRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """
    What a rule of the linter found.

    *rule* is its name; *severity* error, warning or note; *where* the op or
    tensor, as the model names it.
    """

    code: str
    rule: str
    severity: str
    message: str
    where: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LintRow:
    """
    The linter's item of one model: what it found in the artifact that was gated.

    *status* is kept (nothing but notes), broken, or warned (nothing that fails).
    """

    id: str
    file: str
    model: str
    status: str
    fails: bool
    line: int
    findings: tuple[FindingRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One candidate that was tried, with what it cost."""

    recipe: str
    state: str
    readings: dict[str, float]
    units: dict[str, str]
    binding: tuple[str, ...]
    reason: str
    seconds: float
    from_lock: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """
    One model: the artifact that was gated and how it was found.

    *artifact* is its path in the cache, *external* the names of data files
    beside it; *source* and *data* are the paths of what was read, "" for none.
    *recipes* are those that the device gains by; empty for any.
    *infeasible*: why a search found nothing that keeps every limit, in sentences.
    """

    file: str
    name: str
    recipe: str
    artifact: str
    sha256: str
    size: int
    source_sha256: str
    selected_on: str
    trials: tuple[TrialRow, ...]
    fits: bool
    external: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    infeasible: tuple[str, ...] = ()
    source: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """Infrastructure that failed: not a verdict."""

    id: str
    file: str
    model: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """
    A budget file of the run: its device and how models ran there.

    *beside*: what ran them beside the CPU, in words; "" for nothing.
    """

    file: str
    profile: str
    run: str
    threads: int
    runtimes: dict[str, str]
    beside: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    Everything that a report may show.

    *root* is the folder that the names of files are relative to.
    """

    version: str
    files: tuple[FileRow, ...]
    models: tuple[ModelRow, ...]
    limits: tuple[LimitRow, ...]
    errors: tuple[ErrorRow, ...]
    lints: tuple[LintRow, ...] = ()
    root: str = ""

    def model(self, file: str, name: str) -> ModelRow | None:
        """The row of one model, if it was fitted."""
        found = (row for row in self.models if (row.file, row.name) == (file, name))
        return next(found, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A format for ``--edge-budget-report NAME:PATH``: a run to the file's text."""

    name: str
    render: Callable[[Run], str]


def from_plain(cls: type[T], data: Mapping[str, Any]) -> T:
    """A row from the plain types that `dataclasses.asdict` and a process border leave."""
    hints = get_type_hints(cls)
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    return cls(**{name: _revive(hints[name], data[name]) for name in names if name in data})


def _revive(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    arguments = [arg for arg in get_args(hint) if arg is not type(None)]
    if get_origin(hint) is tuple:
        return tuple(_revive(arguments[0], item) for item in value)
    if isinstance(hint, type) and is_dataclass(hint):
        return from_plain(hint, value)
    rows = [arg for arg in arguments if isinstance(arg, type) and is_dataclass(arg)]
    return from_plain(rows[0], value) if rows and isinstance(value, dict) else value
