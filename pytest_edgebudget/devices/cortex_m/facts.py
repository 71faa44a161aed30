"""What a linked and emulated program tells, as facts for metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_edgebudget.devices.cortex_m.build import FAST, SMALL, Built
from pytest_edgebudget.devices.cortex_m.generator import Part
from pytest_edgebudget.devices.cortex_m.tools import COMPILER, EMULATOR, version
from pytest_edgebudget.facts import DeviceMemory, InstructionFacts, LinkFacts
from pytest_edgebudget.types import Evidence, Layer, Profile, Unit
from pytest_edgebudget.units import format_value

PROGRAM = "a program of generated C, not TensorFlow Lite Micro"


def compiler() -> str:
    """The compiler, its version and how it is told to optimize."""
    return f"{COMPILER} {version(COMPILER)} {FAST} and {SMALL}"


def link_facts(built: Built, profile: Profile) -> LinkFacts:
    """What went where, by the linker."""
    sizes = built.sizes
    return LinkFacts(
        code=sizes.code,
        constants=sizes.constants,
        weights=sizes.weights,
        initial=sizes.data,
        room=profile.largest("flash"),
        evidence=Evidence.EMULATED,
        tool=compiler(),
        program=PROGRAM,
        layers=_layers(built.program.layers, [part.constants for part in built.program.layers]),
    )


def memory_facts(built: Built, stack: int | None, profile: Profile) -> DeviceMemory:
    """
    The arena and the stack; nothing else lies in RAM.

    *stack*: None where the program is too large to be run, even emulated.
    """
    still, room = built.sizes.ram, profile.largest("ram")
    value = still + (stack or 0)
    over = f"{_bytes(value - room)} more than there is; " if room and value > room else ""
    used = "a stack that is not known" if stack is None else f"{_bytes(stack)} stack"
    return DeviceMemory(
        value=value,
        low=value,
        high=math.inf if stack is None else value,
        evidence=Evidence.EMULATED,
        note=f"{over}{_bytes(still)} with the arena + {used}, without interrupts: {PROGRAM}",
    )


def instruction_facts(built: Built, counts: Sequence[int]) -> InstructionFacts:
    """Instructions of all layers."""
    board = built.core.board
    return InstructionFacts(
        count=sum(counts),
        tool=f"qemu {version(EMULATOR)} {board.machine}, {compiler()}, plain C",
        layers=_layers(built.program.layers, counts),
    )


def _layers(parts: Sequence[Part], values: Sequence[int]) -> tuple[Layer, ...]:
    """Largest first; those with nothing are left out."""
    pairs = zip(parts, values, strict=True)
    found = [Layer(part.name, part.kind, float(value)) for part, value in pairs if value]
    return tuple(sorted(found, key=lambda layer: -layer.value))


def _bytes(size: int) -> str:
    return format_value(size, Unit.BYTES)
