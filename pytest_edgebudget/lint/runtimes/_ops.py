"""The ops of a `.tflite` as the runtime rules see them: kind, written and needed version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pytest_edgebudget.graph.tflite_versions import needed_versions
from pytest_edgebudget.lint.base import ModelFile

FLEX = "Flex"
"""How the custom codes of TensorFlow's own ops begin."""

COMPILED = {"ethos-u": "ethos-u", "edgetpu-custom-op": "edge-tpu"}
"""Custom ops that a compiler for an accelerator wrote, and how the accelerator's name begins."""


@dataclass(frozen=True, slots=True)
class Use:
    """Ops of one *kind* and version: *written* in the file, *needed* by the types of the worst."""

    kind: str
    custom: bool
    written: int
    needed: int
    count: int
    where: str

    @property
    def title(self) -> str:
        """For people: ``CONV_2D version 5``, and how many."""
        name = self.kind if self.custom else f"{self.kind} version {self.written}"
        return name if self.count == 1 else f"{name} ({self.count} ops)"


@lru_cache(maxsize=1)  # the rules ask one after the other
def uses(model: ModelFile) -> tuple[Use, ...]:
    """What kinds and versions of ops the model uses, in the order of the first of each."""
    found: dict[tuple[str, bool, int], Use] = {}
    for subgraph in model.graph.subgraphs:
        for op, needed in zip(subgraph.ops, needed_versions(subgraph), strict=True):
            key = (op.kind, op.custom, op.version)
            before = found.get(key)
            highest = max(needed, before.needed) if before else needed
            found[key] = Use(
                op.kind,
                op.custom,
                op.version,
                highest,
                before.count + 1 if before else 1,
                before.where if before and before.needed >= needed else op.name.split(";")[0],
            )
    return tuple(found.values())


def listed(words: Iterable[str]) -> str:
    """Words, the last after "and"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
