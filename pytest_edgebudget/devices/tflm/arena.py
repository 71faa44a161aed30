"""What a run in TensorFlow Lite Micro tells about a microcontroller's memory: facts for metrics."""

from __future__ import annotations

import math

from pytest_edgebudget import graph
from pytest_edgebudget.devices.kernels import kernels_of
from pytest_edgebudget.facts import DeviceMemory, PlanFacts
from pytest_edgebudget.graph.arena import Arena, ArenaRun
from pytest_edgebudget.graph.memory import plan as plan_memory
from pytest_edgebudget.graph.memory_tflm_run import REFERENCE, arena_on_device
from pytest_edgebudget.types import Artifact, Evidence, Profile, Unit
from pytest_edgebudget.units import format_value


def plan_facts(artifact: Artifact, profile: Profile, run: ArenaRun) -> PlanFacts:
    """The plan with the kernels of *profile*, and the arena that *run* tells of."""
    found, kernels = graph.read(artifact.path), kernels_of(profile)
    plan = plan_memory(found, "tflm", kernels)
    arena = arena_on_device(found, plan, kernels, run)
    note = _note(run, arena, profile.kernels)
    return PlanFacts(plan, "tflm", profile.kernels, arena, note)


def memory_facts(facts: PlanFacts, profile: Profile) -> DeviceMemory:
    """
    Main memory of a microcontroller: the arena, against the largest region.

    TensorFlow Lite Micro takes nothing beside it for a model: its inputs and
    outputs are tensors in the arena, and its weights stay in flash.
    """
    arena = facts.arena
    assert arena is not None
    return DeviceMemory(
        value=arena.value,
        low=arena.low,
        high=math.inf if arena.high is None else arena.high,
        evidence=Evidence.ESTIMATED,
        note=f"{_room(arena, profile)}arena alone: {facts.note}",
    )


def _room(arena: Arena, profile: Profile) -> str:
    room = profile.largest("ram")
    if room is None:
        return ""
    piece = "largest region" if len(_regions(profile)) > 1 else "RAM"
    if arena.low > room:
        return f"more than the {_bytes(room)} of the {piece}; "
    return f"of {_bytes(room)}, the {piece}; "


def _regions(profile: Profile) -> list[str]:
    return [region.name for region in profile.regions if region.kind == "ram"]


def _note(run: ArenaRun, arena: Arena, kernels: str) -> str:
    """What was run, and what was added to it for the device."""
    ran = f"{_bytes(run.smallest)} ran on x86-64, {_bytes(run.tail)} of it for good"
    less = "less of that with 32-bit pointers"
    if kernels in REFERENCE:
        return f"{ran}; {less}"
    if arena.high is None:
        return f"{ran}; {less}; the scratch memory of {kernels} is not known"
    more = arena.high - run.smallest
    scratch = f"up to {_bytes(more)} more" if more else "nothing more"
    return f"{ran}; {less}; {scratch} for {kernels} by its own formulas"


def _bytes(size: int) -> str:
    return format_value(size, Unit.BYTES)
