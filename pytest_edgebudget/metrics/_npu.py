"""What the metrics of an NPU share."""

from __future__ import annotations

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.facts import NpuFacts

ONLY = "NPU only: CPU operators and driver are not in it"


def running(facts: NpuFacts) -> NpuFacts:
    """
    The facts, where anything runs on the NPU at all.

    Raises CannotTell otherwise: nothing would be the best of all values.
    """
    if not facts.cycles:
        raise CannotTell(
            "nothing of the model runs on the NPU",
            "cpu_fallback tells why of each operator; integer models (int8) run there",
        )
    return facts


def note(facts: NpuFacts, *more: str) -> str:
    """What the number is of, and what it is not."""
    alone = f"{facts.alone} operators on the CPU" if facts.alone != 1 else "1 operator on the CPU"
    parts = [f"{ONLY}" + (f" ({alone})" if facts.alone else ""), *more, facts.tool, *facts.notes]
    return "; ".join(part for part in parts if part)
