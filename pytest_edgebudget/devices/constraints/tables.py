"""The tables of constraints, read from their TOML files."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_edgebudget.devices.constraints.names import CHECKS, TABLES
from pytest_edgebudget.graph.ir import Op

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Constraint:
    """
    A condition on an operator.

    Attributes:
        ops: the operators that must meet it; empty: all of the table but *without*.
        without: the operators that need not.
        check: the name of a predicate in `checks`.
        options: its parameters.
        message: what is required, as the end of a sentence.
        instead: what to change.
    """

    ops: frozenset[str]
    without: frozenset[str]
    check: str
    options: Mapping[str, Any]
    message: str
    instead: str


@dataclass(frozen=True, slots=True)
class Table:
    """
    What one accelerator, set of kernels or runtime supports.

    Attributes:
        name: of the file, such as "ethos-u55".
        title: in words.
        place: where a supported operator runs, such as "NPU".
        rest: where the others run, such as "CPU"; "" where they cannot run.
        ops: the operators that it supports.
        constraints: the conditions, in the order of the file.
        sources: where this comes from.
        stops: whether all operators after an unsupported one are unsupported too.
        alone: whether it runs one piece of a model only, the largest.
        leads: operators that stop nothing where they take an input of the model.
        free: operators that cost nothing wherever they run.
        custom: the custom operators that it knows, by their codes.
        folds: whether its compiler computes what depends on constants and sizes
            only, with a batch of one.
        doubtful: operators of *ops* that its compiler may refuse for reasons that
            are not published, such as "large" tensors.
        cache: about how many bytes of weights it keeps; None where nothing is known.
        cache_most: how many it has been seen to keep at the most.
        growth: how many bytes a byte of weights has been seen to become at the most.
    """

    name: str
    title: str
    place: str
    rest: str
    ops: frozenset[str]
    constraints: tuple[Constraint, ...] = field(repr=False)
    sources: tuple[str, ...]
    stops: bool = False
    alone: bool = False
    leads: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    custom: frozenset[str] = frozenset()
    folds: bool = False
    doubtful: frozenset[str] = frozenset()
    cache: int | None = None
    cache_most: int | None = None
    growth: float = 1.0

    def of(self, kind: str) -> tuple[Constraint, ...]:
        """The constraints of one kind of operator."""
        return tuple(
            each
            for each in self.constraints
            if kind in each.ops or (not each.ops and kind not in each.without)
        )

    def knows(self, op: Op) -> bool:
        """Whether there is such an operator at all."""
        return op.kind in (self.custom if op.custom else self.ops)


def accelerators() -> tuple[str, ...]:
    """The accelerators that a profile may name."""
    return tuple(name for name, table in TABLES.items() if table in _ACCELERATORS)


_ACCELERATORS = ("ethos-u55", "ethos-u85", "edge-tpu", "gpu-delegate")


def table_of(name: str) -> Table | None:
    """The table of an accelerator, of a set of kernels or of a runtime; None without one."""
    file = TABLES.get(name)
    return _read(file) if file else None


@functools.cache
def _read(name: str) -> Table:
    data = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return Table(
        name=name,
        title=data["title"],
        place=data["place"],
        rest=data.get("rest", ""),
        ops=frozenset(data["ops"]),
        constraints=tuple(_constraint(each) for each in data.get("constraint", ())),
        sources=tuple(data["sources"]),
        stops=data.get("stops", False),
        alone=data.get("alone", False),
        leads=frozenset(data.get("leads", ())),
        free=frozenset(data.get("free", ())),
        custom=frozenset(data.get("custom", ())),
        folds=data.get("folds", False),
        doubtful=frozenset(data.get("doubtful", ())),
        cache=data.get("cache"),
        cache_most=data.get("cache_most", data.get("cache")),
        growth=data.get("growth", 1.0),
    )


def _constraint(data: dict[str, Any]) -> Constraint:
    check = data.pop("check")
    assert check in CHECKS, f"there is no check {check}"
    return Constraint(
        ops=frozenset(data.pop("ops", ())),
        without=frozenset(data.pop("without", ())),
        check=check,
        message=data.pop("message"),
        instead=data.pop("instead", ""),
        options=data,
    )
