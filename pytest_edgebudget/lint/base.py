"""What a rule is, what it looks at, and what it finds."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_edgebudget.graph.arena import Plan
from pytest_edgebudget.graph.cost import LayerCost, layer_costs
from pytest_edgebudget.graph.ir import Graph
from pytest_edgebudget.lint.links import Links, links
from pytest_edgebudget.types import Budget, Profile


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # it will not work on the device, or works wrongly
    WARNING = "warning"  # it costs bytes, memory or time that need not be spent
    NOTE = "note"  # worth knowing


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What a rule found: one sentence.

    Attributes:
        message: what is wrong, with the figure where there is one.
        where: the op or tensor, as the model names it; "" for the whole file.
        instead: what to do; "" when the rule's documentation says it all.
        line: of the budget file, from 1; 0 for a model, or the whole file.
        severity: when it differs from the rule's own.
        file: that *line* is in, when it is not the budget file itself but one
            that it extends.
        saves: bytes of the file that doing so would save, where that is known.
    """

    message: str
    where: str = ""
    instead: str = ""
    line: int = 0
    severity: Severity | None = None
    file: Path | None = None
    saves: int = 0


class ModelFile:
    """A model as rules see it: *path*, *graph*, and what is computed once for all rules."""

    def __init__(self, path: Path, graph: Graph) -> None:
        self.path = path
        self.graph = graph
        self._plans: dict[tuple[str, str], Plan] = {}

    @cached_property
    def costs(self) -> tuple[LayerCost, ...]:
        """What each op costs."""
        return layer_costs(self.graph)

    @cached_property
    def links(self) -> tuple[Links, ...]:
        """The wiring of each subgraph."""
        return links(self.graph)

    def plan(self, runtime: str, kernels: str = "") -> Plan:
        """Its memory plan on *runtime* (see `graph.memory.plan`); computed once for all rules."""
        # Imported when a rule asks: what is not asked for is not paid for at a cold start.
        from pytest_edgebudget.graph.memory import plan

        key = runtime, kernels
        if key not in self._plans:
            self._plans[key] = plan(self.graph, runtime, kernels)
        return self._plans[key]


@dataclass(frozen=True, slots=True)
class OnDevice:
    """A model on the device that is to run it: *model* and *profile*."""

    model: ModelFile
    profile: Profile


@dataclass(frozen=True, slots=True)
class BudgetFile:
    """A budget file that was read without mistakes, and the day of the check."""

    path: Path
    budget: Budget
    today: date


_CODE = re.compile(r"EB[1-5]\d\d|(?!EB)[A-Z]{2,10}\d{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    One thing that can be wrong.

    Attributes:
        code: EB and three digits: 1xx budget files, 2xx structure, 3xx
            quantization, 4xx device support, 5xx runtimes. Rules of an
            extension have a prefix of their own: ACME001.
        name: reads aloud after "allow": "unfused-activation".
        severity: of its findings, unless a finding says otherwise.
        needs: what *check* takes: BudgetFile, ModelFile or OnDevice (a rule
            that needs a device is silent without a profile).
        check: yields what it finds. The docstring of its module is the rule's
            documentation, with the sections "What it finds", "Why it hurts",
            "Example" and "Instead".
        formats: of the models that it looks at.
    """

    code: str
    name: str
    severity: Severity
    needs: type
    check: Callable[[Any], Iterable[Finding]]
    formats: frozenset[str] = frozenset({"tflite", "onnx"})

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise ValueError(
                f"{self.code}: a code is EB and three digits, the first 1 to 5;"
                " that of an extension begins with two to ten other letters"
            )

    @property
    def doc(self) -> str:
        """The documentation, as the user reads it."""
        return (sys.modules[self.check.__module__].__doc__ or "").strip()

    @property
    def summary(self) -> str:
        """Its first line."""
        return self.doc.partition("\n")[0]
