"""What an inference takes on a profile's device, estimated: by layer, and in other ways to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_edgebudget.estimate import Estimate
from pytest_edgebudget.estimate.asked import NoEstimate, estimated
from pytest_edgebudget.estimate.precision import HYBRID, precision_of
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.types import DeviceChoice, Profile

_RECIPES = {"int8": "int8", "float16": "fp32", "dynamic_int8": HYBRID}
"""Recipes whose operators are known before they are applied, and in what those compute: a CPU
stores the weights of float16 in two bytes, and computes in four."""

_THREADS = (2, 4)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The same model in another way: *name* of a recipe, or "2 threads"."""

    name: str
    found: Estimate
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """
    The estimate of a model as it is, with one thread, and of other ways to run it.

    *found* is None where nothing was published that is near; *reason* says so.
    """

    profile: str
    runtime: str
    found: Estimate | None = None
    reason: str = ""
    what_if: tuple[WhatIf, ...] = ()
    accelerator: str = ""


def times(graph: Graph, profile: Profile, runtime: str) -> Times:
    """
    Estimate *graph* on *profile*.

    Raises EdgeBudgetError where the shipped table is damaged.
    """
    try:
        found = estimated(graph, profile, runtime=runtime)
    except NoEstimate as error:
        return Times(profile=profile.name, runtime=runtime, reason=error.message)
    if profile.accelerator:
        beside = profile.accelerator
        return Times(profile=profile.name, runtime=runtime, found=found, accelerator=beside)
    ways = (*_recipes(graph, profile, runtime), *_threads(graph, profile, runtime))
    return Times(profile=profile.name, runtime=runtime, found=found, what_if=ways)


def _recipes(graph: Graph, profile: Profile, runtime: str) -> Iterator[WhatIf]:
    """
    Recipes for a float model; integers are not made more so.

    None for a board's own calibration, which counts each operator as it is in the file.
    """
    from pytest_edgebudget.devices.recipes import recipes_of

    own = any(each.runtime == runtime for each in profile.calibrations)
    if own or precision_of(graph) != "fp32":
        return
    gained = recipes_of(DeviceChoice(profile=profile, run="static", runtime=runtime))
    for recipe, precision in _RECIPES.items():
        if recipe in gained:
            note = "half the bytes, computed as before" if precision == "fp32" else ""
            yield from _what_if(recipe, graph, profile, runtime, precision=precision, note=note)


def _threads(graph: Graph, profile: Profile, runtime: str) -> Iterator[WhatIf]:
    for threads in _THREADS:
        if threads <= (profile.cores or 1):
            yield from _what_if(f"{threads} threads", graph, profile, runtime, threads=threads)


def _what_if(
    name: str,
    graph: Graph,
    profile: Profile,
    runtime: str,
    *,
    precision: str = "",
    threads: int = 1,
    note: str = "",
) -> Iterator[WhatIf]:
    try:
        found = estimated(graph, profile, runtime=runtime, threads=threads, precision=precision)
    except NoEstimate:
        return  # nothing was published of it
    yield WhatIf(name, found, note)
