"""`instructions`: what an inference makes the CPU do."""

from __future__ import annotations

from pytest_edgebudget.facts import InstructionFacts
from pytest_edgebudget.metrics.base import Metric, Options, Value
from pytest_edgebudget.types import Better, Evidence, Unit


def read(instructions: InstructionFacts, options: Options) -> Value:
    """
    Instructions of one inference: after the first one, which packs and allocates.

    This machine: counted by valgrind's callgrind inside the runtime's invoke.
    Emulated boards: counted by a plugin of QEMU, all but Python's own. An
    emulated Cortex-M: those of each layer, by a timer in virtual time; they are
    of plain C, of which optimized kernels take a part. Each is the same to the
    instruction in every run.

    It is the number of one instruction set and one CPU model: valgrind shows
    programs no AVX512 and no VNNI, and a Cortex-A76 has a product of bytes
    that a Cortex-A72 has not. So it finds a regression of a model against
    itself, and says nothing about int8 against float.
    """
    note = "; ".join(part for part in (instructions.tool, instructions.note) if part)
    return Value(instructions.count, note=note, layers=instructions.layers)


METRIC = Metric(
    name="instructions",
    unit=Unit.COUNT,
    better=Better.LOWER,
    needs=InstructionFacts,
    read=read,
    accepts=(Evidence.MEASURED, Evidence.EMULATED),
    additive=True,
)
