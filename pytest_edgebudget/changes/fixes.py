"""
What would fix a broken limit, the surest and largest saving first.

Recipes that were not tried, by what they make of weights and activations; the
changes that broke it, taken back; findings of the linter that save bytes; another
plan of the memory. Each with what the reading would then be, where that can be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_edgebudget.changes.account import PLANS, Counted
from pytest_edgebudget.changes.predict import Predicted, predicted_plan, predicted_size
from pytest_edgebudget.changes.split import Setting
from pytest_edgebudget.devices.kernels import kernels_of
from pytest_edgebudget.explain.advice import advice
from pytest_edgebudget.fit.space import Space
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.lint.result import Reported
from pytest_edgebudget.report.base import FixRow
from pytest_edgebudget.types import Evidence, Recipe

IN_FILE = ("size", "model_flash")
SHOWN_OF_A_KIND = 2
MEMORY_OF_INTEGERS = "int8 activations"
"""What explain calls it; here it is a recipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    A broken limit of a metric of which less is better.

    *value* is read, *bound* allowed (None where the bound is no number of the
    metric's), with its *evidence*. *artifact* and *setting*: what was read, and on
    what. *space*: the recipes for its source; None where they were all looked at.
    *tried*: those that were. *counted*: what changed since an earlier version.
    """

    metric: str
    value: float
    bound: float | None
    evidence: Evidence
    artifact: Graph
    setting: Setting | None
    space: Space | None
    tried: frozenset[str]
    findings: Sequence[Reported] = ()
    counted: Counted | None = None


def fixes(case: Case) -> tuple[FixRow, ...]:
    """All that is known, ranked: what is surely enough first, then by what it saves."""
    found = [*_recipes(case), *_undone(case), *_linted(case), *_memory(case), *_ways(case)]
    order = ("yes", "maybe", "no", "")
    worth = [fix for fix in found if fix.saves is None or fix.saves > 0]
    return tuple(sorted(worth, key=lambda fix: (order.index(fix.enough), -(fix.saves or 0))))


def _recipes(case: Case) -> Iterator[FixRow]:
    if case.space is None:
        return
    for recipe in (*case.space.base(), *case.space.harsh()):
        if str(recipe) in case.tried or str(recipe) == "none":
            continue
        predicted = _predicted(case, case.space.graph, recipe)
        if predicted is not None:
            yield _fix(case, "recipe", str(recipe), predicted, Evidence.ESTIMATED)


def _predicted(case: Case, source: Graph, recipe: Recipe) -> Predicted | None:
    if case.metric == "size":
        return predicted_size(source, recipe)
    if case.metric not in PLANS or case.setting is None or source.format != "tflite":
        return None
    found = predicted_plan(source, recipe, case.setting.runtime, kernels_of(case.setting.profile))
    return None if found is None else found.plus(_beside_the_plan(case))


def _beside_the_plan(case: Case) -> float:
    """What the reading has that no plan has: tensor structures and the like."""
    from pytest_edgebudget.changes.arena import planned

    plan = planned(case.artifact, case.setting) if case.setting else None
    return max(0.0, case.value - plan.size) if plan else 0.0


def _undone(case: Case) -> Iterator[FixRow]:
    """The largest of the changes that explain the difference, taken back."""
    if case.counted is None or case.counted.of != case.metric:
        return
    found = case.counted.found
    costly = [piece for piece in found.pieces[: found.enough] if piece.value > 0 and piece.kind]
    for piece in costly[:SHOWN_OF_A_KIND]:
        way = f"as it was ({piece.what})" if piece.what else "with what it took before"
        name = f"{piece.name} ({piece.kind})"
        text = f"without {name}" if piece.what == "added" else f"{name} {way}"
        yield _saved(case, "undo", text, piece.value, found.evidence)


def _linted(case: Case) -> Iterator[FixRow]:
    if case.metric in IN_FILE:
        for each in case.findings:
            if each.saves:
                text = f"{each.code} {each.name}: {each.message}"
                yield _saved(case, "lint", text, each.saves, Evidence.ESTIMATED)


def _memory(case: Case) -> Iterator[FixRow]:
    """What `explain` says of the plan."""
    if case.metric not in PLANS or case.setting is None:
        return
    from pytest_edgebudget.changes.arena import planned

    plan = planned(case.artifact, case.setting)
    if plan is None:
        return
    ways = advice(case.artifact, plan, kernels_of(case.setting.profile))
    for each in [way for way in ways if way.text != MEMORY_OF_INTEGERS][:SHOWN_OF_A_KIND]:
        evidence = Evidence(each.evidence)
        yield _saved(case, "memory", each.text, plan.size - each.size, evidence)


def _ways(case: Case) -> Iterator[FixRow]:
    """Recipes and threads, where the time is an estimate anyway."""
    if case.metric != "latency" or case.evidence is not Evidence.ESTIMATED or not case.setting:
        return
    from pytest_edgebudget.explain.time import times

    known = times(case.artifact, case.setting.profile, case.setting.runtime)
    for way in known.what_if:
        words = way.name.split()
        threads = words[-1] == "threads"
        if (threads and int(words[0]) <= case.setting.threads) or way.name in case.tried:
            continue
        found = way.found.latency
        predicted = Predicted(found.value, found.low, found.high)
        kind, text = ("threads", words[0]) if threads else ("recipe", way.name)
        yield _fix(case, kind, text, predicted, Evidence.ESTIMATED)


def _saved(case: Case, kind: str, text: str, saves: float, evidence: Evidence) -> FixRow:
    left = case.value - saves
    return _fix(case, kind, text, Predicted(left, left, left), evidence)


def _fix(case: Case, kind: str, text: str, predicted: Predicted, evidence: Evidence) -> FixRow:
    return FixRow(
        kind=kind,
        text=text,
        value=float(predicted.value),
        low=float(predicted.low),
        high=float(predicted.high),
        saves=float(case.value - predicted.value),
        evidence=evidence.value,
        enough=_enough(predicted, case.bound),
    )


def _enough(predicted: Predicted, bound: float | None) -> str:
    if bound is None:
        return ""
    if predicted.high <= bound:
        return "yes"
    return "maybe" if predicted.low <= bound else "no"
