"""What Vela tells of a model that it compiled, as numbers in SI units."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_edgebudget.devices.ethos_u.settings import Settings
from pytest_edgebudget.graph.ir import Graph
from pytest_edgebudget.graph.memory_tflm_scratch import ETHOS_U
from pytest_edgebudget.types import Layer

KIB = 1024
AREAS = ("sram", "dram", "on_chip_flash", "off_chip_flash")
"""Vela's memories, as the columns of its summary call them."""

_REFUSED = re.compile(
    r"^Warning \(supported operators\) operator: (?P<kind>\w+), ofm: '(?P<name>.*)'\n"
    r"(?:Reason: )?(?P<reason>(?:.+\n?)*)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Refused:
    """An operator that Vela leaves to the CPU: *kind*, the *name* of its result, *reason*."""

    kind: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """
    One model, compiled.

    Attributes:
        settings, version: of Vela.
        used: bytes of each memory, by the names in `AREAS`.
        constants, activations: the memories that hold them, as Vela writes them
            ("SRAM", "DRAM", "Off-chip Flash", "On-chip Flash").
        cycles: of the NPU, memory included, for one inference.
        clock: of the NPU, in hertz.
        layers: cycles by operator, the largest first.
        refused: what Vela says of operators that it leaves to the CPU.
        graph: of the file that Vela wrote.
        seconds: that compiling took.
    """

    settings: Settings
    version: str
    used: Mapping[str, int]
    constants: str
    activations: str
    cycles: int
    clock: float
    layers: tuple[Layer, ...] = ()
    refused: tuple[Refused, ...] = ()
    graph: Graph = field(repr=False)
    seconds: float = 0.0

    @property
    def sram(self) -> int:
        """
        Bytes of SRAM.

        In the memory mode Sram_Only the constants are in it, too: Vela then
        calls that part of it on-chip flash.
        """
        return self.used["sram"] + self.used["on_chip_flash"]

    @property
    def off_chip(self) -> int:
        """Bytes of flash or DRAM that hold constants, and activations where those are there."""
        return self.used["off_chip_flash"] + self.used["dram"]

    @property
    def constant_bytes(self) -> int:
        """Bytes of the weights of all pieces, as the NPU reads them."""
        tensors = self.graph.tensors
        held = {op.inputs[1] for op in self.graph.ops if op.kind == ETHOS_U and len(op.inputs) > 1}
        return sum(tensors[index].stored_bytes for index in held)

    @property
    def pieces(self) -> int:
        """How many pieces of the model the NPU gets."""
        return sum(op.kind == ETHOS_U for op in self.graph.ops)

    @property
    def tool(self) -> str:
        """What told: Vela's name and version."""
        return f"vela {self.version}"


def compiled(
    settings: Settings,
    version: str,
    graph: Graph,
    reply: Mapping[str, str | float],
    summary: Mapping[str, str],
    layers: Sequence[Mapping[str, str]],
) -> Compiled:
    """Vela's summary, its cycles by operator, and what it said while it compiled."""
    return Compiled(
        settings=settings,
        version=version,
        used={area: round(float(summary[f"{area}_memory_used"]) * KIB) for area in AREAS},
        constants=summary["weights_storage_area"],
        activations=summary["feature_map_storage_area"],
        cycles=round(float(summary["cycles_total"])),
        clock=float(summary["core_clock"]),
        layers=_layers(layers),
        refused=tuple(refusals(str(reply["said"]))),
        graph=graph,
        seconds=float(reply["seconds"]),
    )


def _layers(rows: Sequence[Mapping[str, str]]) -> tuple[Layer, ...]:
    """
    Cycles of what the NPU runs, by the operator of the model that it came from.

    An operator may become several; those of one operator follow one another.
    """
    found: list[Layer] = []
    for row in rows:
        cycles = int(row["Op Cycles"])
        if row["Target"] == "NPU" and cycles:
            found.append(Layer(row["Name"].split(";")[0], row["Original Operator"], cycles))
    return tuple(sorted(found, key=lambda layer: -layer.value))


def refusals(said: str) -> list[Refused]:
    """Each operator that Vela's warnings name, with the reason in one line."""
    return [
        Refused(found["kind"], found["name"], _sentence(found["reason"]))
        for found in _REFUSED.finditer(said)
    ]


def _sentence(reason: str) -> str:
    """The reason as a clause, with the condition behind it where that is one line."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    told = lines if len(lines) == 2 else lines[:1]
    return "; ".join(line[0].lower() + line[1:].rstrip(".") for line in told)
