"""The main memory of a model on an Ethos-U: Vela's part, and the micro runtime's."""

from __future__ import annotations

import math

from pytest_edgebudget.devices.ethos_u.report import Compiled
from pytest_edgebudget.devices.kernels import kernels_of
from pytest_edgebudget.facts import DeviceMemory, PlanFacts
from pytest_edgebudget.graph.memory import plan
from pytest_edgebudget.types import Evidence, Profile, Unit
from pytest_edgebudget.units import format_value


def arena(found: Compiled, profile: Profile) -> PlanFacts:
    """Where TensorFlow Lite Micro puts the activations of the file that Vela wrote."""
    planned = plan(found.graph, "tflm", kernels_of(profile))
    return PlanFacts(planned, "tflm", profile.kernels)


def device_memory(found: Compiled, profile: Profile) -> DeviceMemory:
    """
    SRAM and DRAM by Vela, and the runtime's part by our plan of the file that Vela wrote.

    tflite-micro's wheel has no kernel for the NPU's operator, so that the
    runtime's part is not measured: it is what its allocator plans beside Vela's
    memory (results and scratch of operators on the CPU), and what it keeps for
    good, between the least on 32 bits and the most on 64.
    """
    planned = arena(found, profile).plan
    vela = found.sram + found.used["dram"]
    beside = max(0, planned.size - _activations(found))
    kept = planned.arena
    assert kept is not None  # of this runtime it is always estimated
    known = planned.upper is not None
    return DeviceMemory(
        value=vela + beside + kept.value - planned.size,
        low=vela + beside + kept.low - planned.size,
        high=vela + beside + kept.high - planned.size if known else math.inf,
        evidence=Evidence.ESTIMATED,
        note=_note(found, beside + kept.value - planned.size, planned.reasons),
    )


def _activations(found: Compiled) -> int:
    """Bytes of Vela's memory that are no constants."""
    constants = found.constant_bytes if found.constants == "DRAM" else 0
    return found.used["sram"] + found.used["dram"] - constants


def _note(found: Compiled, runtime: int, reasons: tuple[str, ...]) -> str:
    def size(count: int) -> str:
        return format_value(count, Unit.BYTES)

    parts = [f"{size(found.sram)} of SRAM by Vela"]
    if found.used["dram"]:
        parts.append(f"{size(found.used['dram'])} of DRAM by Vela, constants included")
    if found.used["on_chip_flash"]:
        parts[0] += f", {size(found.used['on_chip_flash'])} of it constants"
    return " + ".join([*parts, f"{size(runtime)} of the micro runtime, estimated"]) + "".join(
        f"; {reason}" for reason in reasons[: len(found.graph.ops) - found.pieces][:1]
    )
