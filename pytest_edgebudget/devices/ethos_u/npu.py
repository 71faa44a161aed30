"""Vela's figures as facts about the NPU."""

from __future__ import annotations

from pytest_edgebudget.devices.ethos_u.report import Compiled
from pytest_edgebudget.devices.ethos_u.settings import OPTIMISE
from pytest_edgebudget.facts import NpuFacts
from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import format_value


def npu_facts(found: Compiled) -> NpuFacts:
    """Vela's figures as facts."""
    return NpuFacts(
        sram=found.sram,
        flash=found.off_chip,
        cycles=found.cycles,
        seconds=found.cycles / found.clock,
        clock=found.clock,
        alone=len(found.graph.ops) - found.pieces,
        tool=found.tool,
        layers=found.layers,
        conditions=(*found.settings.key, ("vela_optimise", found.settings.optimise)),
        notes=tuple(_notes(found)),
    )


def _notes(found: Compiled) -> list[str]:
    notes = [f"{found.settings.system}, {found.settings.memory}"]
    if found.settings.optimise != OPTIMISE[0]:
        notes.append(f"optimised for {found.settings.optimise}")
    notes.append(f"the file that Vela writes has {format_value(found.graph.size, Unit.BYTES)}")
    return notes
