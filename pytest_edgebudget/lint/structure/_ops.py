"""What the rules of structure know of single ops; nothing here believes a damaged file."""

from __future__ import annotations

from pytest_edgebudget.graph.dtypes import MAX_COUNT, byte_size
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.graph.values import integers
from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.types import Unit

_SMALL = 1024

VIEWS = frozenset({
    "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "Reshape", "Squeeze", "Unsqueeze", "Flatten",
})  # fmt: skip
"""Ops that keep all elements in their order: only the shape is another."""

TRANSPOSES = frozenset({"TRANSPOSE", "Transpose"})
CASTS = frozenset({"CAST", "Cast"})

ELEMENTWISE = frozenset({
    "ABS", "CEIL", "ELU", "EXP", "FLOOR", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOG", "LOGISTIC",
    "NEG", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "ROUND", "RSQRT", "SQRT", "SQUARE",
    "TANH",
    "Abs", "Ceil", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu",
    "Log", "Mish", "Neg", "Relu", "Round", "Selu", "Sigmoid", "Softplus", "Sqrt", "Tanh",
})  # fmt: skip
"""Ops with one input that work on each element alone."""


def index_of(op: Op, position: int) -> int:
    """The tensor of an input; -1 when it is left out."""
    return op.inputs[position] if position < len(op.inputs) else -1


def input_of(subgraph: Subgraph, op: Op, position: int) -> Tensor | None:
    """An input; None when it is left out."""
    index = index_of(op, position)
    return None if index < 0 else subgraph.tensors[index]


def output_of(subgraph: Subgraph, op: Op) -> Tensor | None:
    """The first output; None when there is none."""
    index = result(op)
    return None if index < 0 else subgraph.tensors[index]


def result(op: Op) -> int:
    """The tensor of the first output; -1 when there is none."""
    return op.outputs[0] if op.outputs else -1


def activation(op: Op) -> str:
    """The activation that the op applies to its result: "NONE", "RELU" ..."""
    fused = op.attributes.get("fused_activation_function", "NONE")
    return fused if isinstance(fused, str) else "NONE"


def permutation(subgraph: Subgraph, op: Op) -> tuple[int, ...] | None:
    """Where a transpose takes each axis from; None when that is not known."""
    if op.kind == "TRANSPOSE":
        axes = integers(input_of(subgraph, op, 1))
    else:
        axes = _onnx_permutation(subgraph, op)
    return axes if axes is not None and sorted(axes) == list(range(len(axes))) else None


def _onnx_permutation(subgraph: Subgraph, op: Op) -> tuple[int, ...] | None:
    axes = op.attributes.get("perm")
    if isinstance(axes, tuple):
        return tuple(n for n in axes if isinstance(n, int))
    tensor = input_of(subgraph, op, 0)
    shape = tensor.shape if tensor else None
    return None if shape is None else tuple(reversed(range(len(shape))))


def bytes_once(tensor: Tensor | None) -> int:
    """Bytes of a value when its batch is one; 0 when a size or the type is not known, or absurd."""
    if tensor is None or tensor.shape is None:
        return 0
    shape = (1, *tensor.shape[1:]) if tensor.shape[:1] == (-1,) else tensor.shape
    known = 0 if -1 in shape else byte_size(tensor.dtype, shape) or 0
    return known if known < MAX_COUNT else 0


def shown(op: Op) -> str:
    """The op's name, without the names that it was fused with."""
    return op.name.partition(";")[0]


def by_cost(count: int) -> Severity | None:
    """A note where an op moves less than a kilobyte; None: the rule's own severity."""
    return Severity.NOTE if count < _SMALL else None


def size(count: int) -> str:
    """Bytes for people."""
    from pytest_edgebudget.units import format_value  # a sound model never pays for it

    return format_value(count, Unit.BYTES)


def number(count: int) -> str:
    """A count for people: 2.66 M."""
    from pytest_edgebudget.units import format_value

    return format_value(count, Unit.COUNT)


def dims(shape: tuple[int, ...]) -> str:
    """A shape for people: 1x8x8x3, with ? for an open size."""
    return "x".join("?" if n < 0 else str(n) for n in shape) or "scalar"


def plural(count: int, noun: str) -> str:
    """The noun with its number: one op, but three ops."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
