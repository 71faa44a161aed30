"""`instructions`: what an inference makes the CPU do."""

from __future__ import annotations

from pytest_edgebudget.facts import InstructionFacts
from pytest_edgebudget.metrics.base import Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit


def read(instructions: InstructionFacts, options: Options) -> Value:
    """
    Instructions of one inference, counted by valgrind's callgrind.

    Counted inside the runtime's invoke, after the first one has packed and
    allocated; the same to the instruction in every run. It is the number of
    one instruction set and one CPU model: valgrind shows programs no AVX512
    and no VNNI. So it finds a regression of a model against itself, and says
    nothing about int8 against float.
    """
    return Value(instructions.count, note=instructions.tool)


METRIC = Metric(
    name="instructions",
    unit=Unit.COUNT,
    better=Better.LOWER,
    needs=InstructionFacts,
    read=read,
    accepts=(Evidence.MEASURED, Evidence.EMULATED),
    additive=True,
)
