"""
What ONNX Runtime's profile says, node by node.

The kernels that ran on the CPU are found in the model by their names. ONNX
Runtime gives new names to what it makes of nodes: the old one with something
behind it, and its kind and its number where it had none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_edgebudget.devices.accelerated.split import Split
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.placement import partitions
from pytest_edgebudget.graph.ir import Graph, Op

CPU = "CPUExecutionProvider"
COPIES = ("MemcpyFromHost", "MemcpyToHost")
LIGHT = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Cast"}
    | {"Shape", "Gather", "Concat", "Slice", "Identity", "Flatten", "Expand", *COPIES}
)
"""Kinds that ONNX Runtime inserts, and that multiply nothing."""
BEHIND = re.compile(r"(_token_\d+|/MatMulAddFusion|_nchwc)+$")
NUMBERED = re.compile(r"(?P<kind>\w+?)_(?P<number>\d+)$")


def split_by_nodes(told: Mapping[str, Any], graph: Graph) -> Split:
    """
    The nodes whose kernels ran on the CPU.

    Raises CannotTell where no kernel of the provider ran although it was given
    nodes.
    """
    provider, kernels = str(told["provider"]), told["ran"]
    by_provider = Counter(name for name, _, _ in kernels)
    if not by_provider[provider] and not told["idle"]:
        raise CannotTell(
            f"{told['accelerator']} was given nodes, and its profile shows none that ran"
        )
    operators = graph.main.ops
    on_cpu = [(kind, name, _find(kind, name, operators)) for by, kind, name in kernels if by == CPU]
    found = [number for _, _, number in on_cpu if number is not None]
    strange = [
        f"{kind} {name!r}" for kind, name, number in on_cpu if number is None and kind not in LIGHT
    ]
    reason = f"ONNX Runtime does not give it to {told['accelerator']}"
    off = dict.fromkeys(found, reason)
    sides: list[bool | None] = [number not in off for number in range(len(operators))]
    everything = dict.fromkeys(range(len(operators)), reason)
    return Split(
        off,
        partitions(graph.main, sides) if by_provider[provider] else 0,
        others=(everything,) if strange else (),
        notes=tuple(_notes(kernels, strange)),
    )


def _find(kind: str, name: str, operators: Sequence[Op]) -> int | None:
    """The number of the operator that a kernel runs; None for one that was inserted."""
    plain = BEHIND.sub("", name)
    for number, op in enumerate(operators):
        if op.name == plain:
            return number
    match = NUMBERED.match(plain)
    number = int(match["number"]) if match else len(operators)
    fits = number < len(operators) and match is not None and operators[number].kind == match["kind"]
    return number if fits and operators[number].kind == kind else None


def _notes(kernels: Sequence[tuple[str, str, str]], strange: Sequence[str]) -> list[str]:
    notes = []
    copies = sum(kind in COPIES for _, kind, _ in kernels)
    if copies:
        notes.append(f"{copies} copies between the CPU and it in each inference")
    if strange:
        notes.append(f"not found in the model: {', '.join(strange[:3])}")
    return notes
