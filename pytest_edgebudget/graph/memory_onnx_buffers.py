"""
Which tensors share a buffer in onnxruntime, and how long each buffer is held.

Source: onnxruntime/core/framework/allocation_planner.cc (ComputeUseCounts,
ComputeReusePlan, FindReusableInput, FindReusableTensor, GenerateDeallocationPlan).
Which kernels may share (`Alias` and `MayInplace` of their registrations), and
what becomes of outputs that nobody reads, was found by running them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_edgebudget.graph.dtypes import BITS
from pytest_edgebudget.graph.ir import Op, Subgraph
from pytest_edgebudget.graph.memory_sizes import held_bytes, shape_of

ALIASES = frozenset({"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""The output is the input, whoever else reads it."""

IN_PLACE = frozenset(
    """
    Cast Celu Clip Elu HardSigmoid LeakyRelu LogSoftmax Relu Selu Sigmoid Softmax Softplus
    Softsign Tanh ThresholdedRelu
    """.split()  # noqa: SIM905
)
"""The output may take over the first input, when nobody else reads it."""


_Form = tuple[tuple[int, ...], int]


@dataclass(frozen=True, slots=True)
class Held:
    """*size* bytes for *tensor* and those that share with it, from step *first* to *last*."""

    tensor: int
    size: int
    first: int
    last: int


def buffers(subgraph: Subgraph, order: Sequence[int]) -> list[Held]:
    """The buffers that the session allocates; inputs and constants are not its own."""
    planner = _Planner(subgraph)
    for step, number in enumerate(order):
        planner.run(step, subgraph.ops[number])
    return list(planner.held(len(order) - 1))


class _Planner:
    """One walk through the ops, as the session makes it."""

    def __init__(self, subgraph: Subgraph) -> None:
        self.tensors = subgraph.tensors
        self.outputs = frozenset(subgraph.outputs)
        self.uses = _uses(subgraph)
        self.root = list(range(len(subgraph.tensors)))
        self.free: dict[_Form, list[int]] = {}  # by form, the last freed last
        self.written: dict[int, int] = {}  # by buffer: the first step that writes it
        self.read: dict[int, int] = {}  # by buffer: the last step that reads it

    def run(self, step: int, op: Op) -> None:
        """Give each output its buffer, then give back what nobody needs any more."""
        outputs = [index for index in op.outputs if index >= 0]
        for index in outputs:
            self._place(step, op, index)
        for index in op.inputs:
            if index >= 0:
                root = self.root[index]
                self.read[root] = step
                self.uses[root] -= 1
                if self.uses[root] == 0:
                    self._give_back(root)
        for index in outputs:
            if self.uses[index] == 0 and self.root[index] == index:
                self._give_back(index)

    def held(self, end: int) -> Iterator[Held]:
        """The buffers; what the caller gets, and what nobody reads, is there to the *end*."""
        for root, first in self.written.items():
            last = end if root in self.outputs else self.read.get(root, end)
            yield Held(root, held_bytes(self.tensors[root]), first, last)

    def _place(self, step: int, op: Op, index: int) -> None:
        shared = self._shared(op, index) if index not in self.outputs else -1
        if shared < 0:
            self.written[index] = step
            return
        root = self.root[shared]
        self.root[index] = root
        self.uses[root] += self.uses[index]

    def _shared(self, op: Op, index: int) -> int:
        """The tensor whose buffer an output takes; -1: none."""
        source, form = op.inputs[0] if op.inputs else -1, self._form(index)
        if index == op.outputs[0] and source >= 0 and not op.custom:
            if op.kind in ALIASES:
                return source
            alone = self.uses[self.root[source]] == 1
            if op.kind in IN_PLACE and alone and form and self._form(source) == form:
                return source
        # A scalar takes no free buffer, and neither does what nobody reads.
        free = self.free.get(form) if form and form[0] and self.uses[index] else None
        return free.pop() if free else -1

    def _give_back(self, root: int) -> None:
        form = self._form(root)
        if root in self.written and form:
            self.free.setdefault(form, []).append(root)

    def _form(self, index: int) -> _Form | None:
        """What a buffer must have in common with another to take its place; None: unknown."""
        tensor = self.tensors[index]
        if tensor.shape is None or tensor.dtype not in BITS:
            return None
        return shape_of(tensor), BITS[tensor.dtype]


def _uses(subgraph: Subgraph) -> list[int]:
    """How often each tensor is needed: by ops, by the caller, and for good."""
    uses = [int(tensor.constant) for tensor in subgraph.tensors]
    for index in _needs(subgraph):
        uses[index] += 1
    return uses


def _needs(subgraph: Subgraph) -> Iterator[int]:
    yield from (*subgraph.inputs, *subgraph.outputs)
    for op in subgraph.ops:
        yield from (index for index in op.inputs if index >= 0)
