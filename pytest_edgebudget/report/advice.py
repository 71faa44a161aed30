"""What would fix a broken limit: only what has not been tried, and what it saves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from pytest_edgebudget.budget.tree import key_text
from pytest_edgebudget.devices.recipes import ANYWHERE
from pytest_edgebudget.report import changed, words
from pytest_edgebudget.report.base import BoundRow, FixRow, LayerRow, LimitRow, ModelRow, TrialRow
from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import format_value, parse

SMALLER = {
    "int8": "integer weights and activations, about a quarter of the float bytes",
    "dynamic_int8": "integer weights, float activations, about a third of the float bytes",
    "float16": "half of the float bytes, accuracy almost unchanged",
}
KINDER = {
    "weights_int8": "float activations, usually the least loss of the integer recipes",
    "int16x8": "16-bit activations, close to float accuracy, slow without special kernels",
    "float16": "accuracy almost unchanged",
}
WIDER = {
    "fixed_point(16, 6, saturate=true)": "results that do not fit stay the largest, none wraps",
    "fixed_point(18, 8)": "two more bits on either side of the binary point",
}
"""Of fixed-point models: no other recipe makes one."""
FIXES_SHOWN, FEW = 4, 2
FASTER = {"int8": "integer kernels, the fastest on most CPUs"}

FIXES = {
    "size": SMALLER,
    "download_size": SMALLER | {"prune(0.3)+int8": "zeros compress; the raw size stays"},
    "ram": {"int8": "activations and weights in a quarter of the bytes"},
    "latency": FASTER,
    "latency_p95": FASTER,
    "latency_p99": FASTER,
    "instructions": FASTER,
}


def advice(row: LimitRow, model: ModelRow | None) -> Iterator[str]:
    """Lines of advice for a limit that does not hold, best first."""
    bound = words.deciding(row)
    if row.outcome == "unmeasured" or bound is None:
        return
    if bound.kind == "ratchet":
        yield from _ratchet(bound)
    if bound.kind == "ratchet" and bound.bound is None:
        return
    known = [fix for fix in row.fixes if fix.kind != "limit"]
    helpful = [fix for fix in known if fix.enough != "no"]
    yield from _predicted(row, helpful[:FIXES_SHOWN])
    if model:
        yield from _recipes(row, model)
        yield from _other_candidate(row, model)
    if not helpful:
        yield from _predicted(row, known[:FEW])
    top = next((layer for layer in row.layers if layer.kind), None)
    if top and row.layers_unit != Unit.FRACTION.value:  # what fell off is not too large
        share = f"{_share(row, top)} of the {row.layers_of}"
        yield f"a smaller {top.name} ({top.kind}): it holds {share}"
    if bound.kind == "max_regression" and row.against is None:
        yield "if the change is meant: --edge-budget-update writes the new reading into the lock"
    elif (
        bound.kind in ("max", "min") and row.after is not None and math.isfinite(_worst(row, bound))
    ):
        yield f"if the cost is meant: a limit of {_rounded(row, bound)} in {row.where or row.file}"
    yield from (changed.fix(fix, row.unit) for fix in row.fixes if fix.kind == "limit")
    if (bound.kind != "max_regression" or row.against) and model:
        key = key_text(("models", row.model, "waive", row.metric))
        yield f"for a while: [{key}] with a reason and a date"


def _predicted(row: LimitRow, fixes: Iterable[FixRow]) -> Iterator[str]:
    """Fixes whose effect is known, with what they would make of the reading."""
    whys = FIXES.get(row.metric, {})
    for fix in fixes:
        yield changed.fix(fix, row.unit, whys.get(fix.text, "") if fix.kind == "recipe" else "")


def _ratchet(bound: BoundRow) -> Iterator[str]:
    if bound.bound is None:
        yield "--edge-budget-update writes the better reading into the lock, and then it binds"
    else:
        yield "if the cost is meant: take this reading out of the lock, in a commit that says why"


def _recipes(row: LimitRow, model: ModelRow) -> Iterator[str]:
    tried = {trial.recipe for trial in model.trials}
    tried |= {step for recipe in tried if "+" in recipe for step in recipe.split("+")}
    if source := _source_breaks(row):
        yield source
        return
    fixes = KINDER if row.better == "higher" else FIXES.get(row.metric, {})
    if any(recipe.startswith("fixed_point") for recipe in tried):
        fixes = WIDER if row.better == "higher" else {}
    if row.better == "higher" and tried <= {"none"}:
        return
    for recipe, saves in fixes.items():
        if model.recipes and recipe in ANYWHERE and recipe not in model.recipes:
            continue
        known = any(fix.text == recipe for fix in row.fixes)  # said with a figure, or not enough
        if known or recipe in tried or _already_integer(model):
            continue
        if _may_fit(row, recipe):
            yield f'optimize = [..., "{recipe}"]: {saves}'


def _source_breaks(row: LimitRow) -> str:
    """Words for a source model that is itself below a floor: no recipe makes it better."""
    bound = words.deciding(row)
    if row.better != "higher" or not row.before or not bound or bound.kind != "min":
        return ""
    if bound.bound is None or row.before.value >= bound.bound:
        return ""
    found = words.value(row.before.value, row.unit)
    return f"a better model: the source itself reaches {found}, below the floor"


SHARES = {"int8": 0.25, "dynamic_int8": 0.25, "float16": 0.5}
"""What is left of float weights at the least."""


def _may_fit(row: LimitRow, recipe: str) -> bool:
    """Whether a recipe can come below a limit of size at all."""
    bound = words.deciding(row)
    if row.metric != "size" or not row.before or not bound or bound.bound is None:
        return True
    return row.before.value * SHARES.get(recipe, 0.0) < bound.bound


def _already_integer(model: ModelRow) -> bool:
    return any("already" in trial.reason for trial in model.trials)


def _other_candidate(row: LimitRow, model: ModelRow) -> Iterator[str]:
    """A tried candidate that held this limit, and what it broke instead."""
    for trial in model.trials:
        held = row.metric in trial.readings and row.metric not in trial.binding
        if held and trial.state == "rejected" and trial.recipe != model.recipe:
            found = words.value(trial.readings[row.metric], row.unit)
            yield f"{trial.recipe} reached {found}, but broke {', '.join(trial.binding)}"
            return


def _share(row: LimitRow, layer: LayerRow) -> str:
    return f"{100 * layer.value / row.layers_total:.0f} %" if row.layers_total else "all"


def _rounded(row: LimitRow, bound: BoundRow) -> str:
    """The reading's bad end as a limit that it would just keep."""
    worst, unit = _worst(row, bound), Unit(row.unit)
    for digits in range(3, 8):
        text = format_value(worst, unit, digits)
        written = float(text) if unit is Unit.NUMBER else parse(text, unit)
        if written >= worst if words.upper(row, bound) else written <= worst:
            return text
    return text


def _worst(row: LimitRow, bound: BoundRow) -> float:
    assert row.after is not None
    end = row.after.high if words.upper(row, bound) else row.after.low
    return end if row.after.noisy else row.after.value


def tried(trial: TrialRow) -> str:
    """What became of a candidate, in words."""
    if trial.state in ("failed", "skipped"):
        return trial.reason.splitlines()[0]
    if trial.state == "rejected":
        return f"breaks {', '.join(trial.binding)}"
    return "kept every limit" if trial.state == "chosen" else "kept every limit, another is better"
