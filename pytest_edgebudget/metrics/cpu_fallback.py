"""`cpu_fallback`: how much of a model does not run on the accelerator."""

from __future__ import annotations

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.facts import OffOp, PlacementFacts, Work
from pytest_edgebudget.metrics.base import PLANNED, Metric, Option, Options, Value
from pytest_edgebudget.types import Better, Layer, Unit

COUNTED = ("macs", "ops")


def read_fallback(placement: PlacementFacts, options: Options) -> Value:
    """
    The share of the multiply-accumulates that the accelerator does not run.

    Unit: a fraction, 0..1. Lower is better: 0 is all on the accelerator.
    ``of = "ops"`` takes the share of the operators instead, each alike. The note
    has the number of operators, and the pieces in which the accelerator gets the
    model; the layers are the operators that fell off, each with the reason.

    Where the accelerator's compiler told (Vela, edgetpu_compiler), or a run that
    was looked at, the value is what runs. Where published constraints told, it is
    estimated: what they rule out is off, what they leave open counts in the upper
    end alone, and a limit in between is undecided. The key of the reading names
    what told. Where operators cannot be counted (a loop, a dynamic size), the
    interval is open on their side.

    Source: of the constraints, docs/profiles.md; multiply-accumulates as ``macs``
    counts them.
    """
    of = str(options.get("of", COUNTED[0]))
    total = _count(placement.total, of)
    if not total and placement.off:
        raise CannotTell(
            "the model has no multiply-accumulates that can be counted",
            'cpu_fallback = { max = 0, of = "ops" } counts operators',
        )
    value, low, high = (_count(work, of) / max(total, 1) for work in _ends(placement))
    if of == "macs" and placement.uncounted:
        low = 0.0
    if of == "macs" and any(op.macs is None for op in placement.off):
        high = 1.0
    return Value(
        value,
        low,
        high,
        note=_note(placement),
        layers=tuple(_layers(placement, of, total)),
        evidence=placement.evidence,
    )


def _count(work: Work, of: str) -> int:
    return work.macs if of == "macs" else work.ops


def _ends(placement: PlacementFacts) -> tuple[Work, Work, Work]:
    """What is off, at the least and at the most."""
    fallen = placement.fallen
    return fallen, placement.least or fallen, placement.most or fallen


def _layers(placement: PlacementFacts, of: str, total: int) -> list[Layer]:
    """What fell off, the largest share first, else in the model's order."""
    shares = [
        Layer(op.name, f"{op.kind}: {op.reason}" if op.reason else op.kind, _share(op, of, total))
        for op in placement.off
    ]
    return sorted(shares, key=lambda layer: -layer.value)


def _share(op: OffOp, of: str, total: int) -> float:
    return (1 if of == "ops" else op.macs or 0) / max(total, 1)


def _note(placement: PlacementFacts) -> str:
    off, total = len(placement.off), placement.total.ops
    pieces = f"{placement.partitions} piece{'' if placement.partitions == 1 else 's'}"
    parts = [f"{off} of {total} operators fell off, {pieces} on {placement.accelerator}"]
    if placement.off:
        first = placement.off[0]
        reason = f": {first.reason}" if first.reason else ""
        parts.append(f"first {first.kind} {first.name!r}{reason}")
    return "; ".join([*parts, *placement.notes])


METRIC = Metric(
    name="cpu_fallback",
    unit=Unit.FRACTION,
    better=Better.LOWER,
    needs=PlacementFacts,
    read=read_fallback,
    accepts=PLANNED,
    options=(Option("of", str, "macs", "what is counted", choices=COUNTED),),
)
