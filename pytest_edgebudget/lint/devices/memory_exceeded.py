"""
The model's memory is larger than the device's.

What it finds
    A model whose planned memory (the activations in the runtime's own arrangement, without
    weights and without what the runtime keeps beside it) is larger than the largest piece
    of RAM of the device. Where an operator's scratch memory is not known, the plan is the
    least that is needed, and the finding is as sure. Where the activations fit and what
    TensorFlow Lite Micro keeps beside them (an estimate, taken at its lower end) does not,
    the finding is a warning. Not for accelerators whose compiler plans the memory anew, nor
    for models that do not start (EB408).

Why it hurts
    Allocation fails on the device: AllocateTensors() of TensorFlow Lite Micro returns an
    error when the arena is too small, and an arena that is larger than the RAM does not
    link. Memory in several pieces does not help, since an arena is one piece.

Example
    The float32 VWW model of MLPerf Tiny plans 294,912 bytes in TensorFlow Lite Micro: not
    for an Arduino Nano 33 BLE Sense, which has 262,144. The int8 model plans 73,728.

Instead
    int8 activations need a quarter of float32. `edgebudget explain MODEL` shows the
    operator at the peak and what would lower it: a smaller input, a larger first stride,
    fewer channels in the first layers.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.devices.kernels import kernels_of
from pytest_edgebudget.graph.arena import Plan
from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices._placing import COMPILED, refused, runtime_for
from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import format_pair

_PLANNERS = {"tflite-runtime": "litert"}
"""Runtimes that plan as another one does."""


def check(device: OnDevice) -> Iterator[Finding]:
    """Compare the plan with the largest piece of RAM."""
    room = device.profile.largest("ram")
    if room is None or not room:
        return
    plan = _plan(device)
    if plan is None or refused(device):
        return
    has = f"in one piece, and the largest piece of RAM of {device.profile.name} has"
    if plan.size > room:
        need, have = format_pair(plan.size, room, Unit.BYTES)
        least = "" if plan.exact else "at least "
        yield Finding(f"the activations need {least}{need} {has} {have}")
    elif plan.runtime == "tflm" and plan.arena and plan.arena.low > room:
        need, have = format_pair(plan.arena.low, room, Unit.BYTES)
        message = f"with what the runtime keeps beside them, activations need at least {need}"
        yield Finding(f"{message} (estimated) {has} {have}", severity=Severity.WARNING)


def _plan(device: OnDevice) -> Plan | None:
    """The runtime's plan; None where it is not known, or another compiler plans."""
    from pytest_edgebudget.graph.memory import PLANNED, plan

    graph, profile = device.model.graph, device.profile
    named = runtime_for(profile, graph.format)
    runtime = _PLANNERS.get(named, named)
    compiled = any(op.custom and op.kind in COMPILED for op in graph.ops)
    if runtime not in PLANNED or (profile.accelerator and not compiled):
        return None
    return plan(graph, runtime, kernels_of(profile))


RULE = Rule(
    code="EB406",
    name="memory-exceeded",
    severity=Severity.ERROR,
    needs=OnDevice,
    check=check,
)
