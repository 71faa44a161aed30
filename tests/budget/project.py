"""A small project: a registry of a few names, and a way to read budget files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_edgebudget.budget import read_budget
from pytest_edgebudget.errors import BudgetError
from pytest_edgebudget.facts import FileFacts, MemoryFacts, PlanFacts, Predictions, Timings
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.metrics.base import PHYSICS, RUN, STATIC, Metric, Option, Options, Value
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.types import Better, Budget, Step, Unit

TFLITE = b"\x1c\x00\x00\x00TFL3" + bytes(24)
ONNX = b"\x08\x08\x3a\x00"  # ir_version 8 and an empty graph, as protobuf
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 94572\n"


def _read(facts: object, options: Options) -> Value:
    return Value(0.0)


def _apply(job: Job) -> None:
    return None


def _check(before: Graph, after: Graph, step: Step) -> str:
    return ""


def _metric(
    name: str,
    unit: Unit,
    needs: type,
    *,
    better: Better = Better.LOWER,
    exact: bool = False,
    droppable: bool = False,
    options: tuple[Option, ...] = (),
) -> Metric:
    accepts = STATIC if exact else PHYSICS if needs is Timings else RUN
    return Metric(
        name=name,
        unit=unit,
        better=better,
        needs=needs,
        read=_read,
        accepts=accepts,
        droppable=droppable,
        exact=exact,
        additive=exact,
        options=options,
    )


METRICS = (
    _metric("size", Unit.BYTES, FileFacts, exact=True),
    replace(_metric("activation_plan", Unit.BYTES, PlanFacts, exact=True), informs=True),
    _metric("macs", Unit.COUNT, Graph, exact=True),
    _metric("ram", Unit.BYTES, MemoryFacts),
    _metric("latency", Unit.SECONDS, Timings),
    _metric("accuracy", Unit.FRACTION, Predictions, better=Better.HIGHER, droppable=True),
    _metric(
        "top_k",
        Unit.FRACTION,
        Predictions,
        better=Better.HIGHER,
        droppable=True,
        options=(
            Option("k", int, 5, "how many classes count"),
            Option("average", str, "macro", "over the classes", choices=("macro", "micro")),
        ),
    ),
    _metric("mae", Unit.NUMBER, Predictions, droppable=True),
    replace(_metric("cosine", Unit.NUMBER, Predictions, better=Better.HIGHER), bounds=(-1.0, 1.0)),
)

BOTH = frozenset({"tflite", "onnx"})
PASSES = (
    Pass(name="none", apply=_apply, check=_check, formats=BOTH),
    Pass(name="float16", apply=_apply, check=_check, formats=BOTH),
    Pass(name="int8", apply=_apply, check=_check, formats=BOTH, calibrated=True),
    Pass(name="int4_weights", apply=_apply, check=_check, formats=frozenset({"tflite"})),
    Pass(
        name="prune",
        apply=_apply,
        check=_check,
        formats=BOTH,
        parameters=(
            Parameter("fraction", float, "the share of weights to zero", None, 0.0, 0.95),
            Parameter("seed", int, "of ties", 0, 0),
            Parameter("blocks", bool, "zero whole blocks", default=False),
        ),
    ),
)

PI4 = """
title = "Raspberry Pi 4"
runtimes = ["litert"]
alternatives = ["tflite-runtime"]
cores = 4
ram = "4 GiB"
"""
HOST = """
title = "this machine"
runtimes = ["litert", "onnxruntime"]
"""


@dataclass(frozen=True)
class Project:
    """A folder with models and data; budget files are read as if by a run."""

    root: Path
    registry: Registry

    def write(self, path: str, content: str | bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
        return file

    def read(self, text: str | bytes, path: str = "budgets/pi4.toml") -> Budget:
        return read_budget(self.write(path, text), self.registry, root=self.root)

    def limits(self, text: str) -> Budget:
        """Read limits of one model, ``[models.k.budget]``; text starts inside it."""
        return self.read(self.model(text))

    def model(self, text: str) -> str:
        head = '[models.k]\npath = "../keywords.tflite"\ndata = "../data.npz"\n'
        return head + "[models.k.budget]\n" + dedent(text) + "\n"

    def mistakes(self, text: str | bytes, path: str = "budgets/pi4.toml") -> list[str]:
        with pytest.raises(BudgetError) as error:
            self.read(text, path)
        return str(error.value).splitlines()
