"""What decides the version of a `.tflite` op: types, ranks, scales, options."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_edgebudget.graph.ir import Op, Tensor


class Use:
    """What the rules ask of an op. Inputs and outputs that are left out have the type ""."""

    __slots__ = ("op", "tensors")

    def __init__(self, op: Op, tensors: Sequence[Tensor]) -> None:
        self.op = op
        self.tensors = tensors

    def tensor(self, position: int) -> Tensor | None:
        """An input."""
        inputs = self.op.inputs
        index = inputs[position] if position < len(inputs) else -1
        return self.tensors[index] if index >= 0 else None

    def type(self, position: int) -> str:
        """The type of an input."""
        tensor = self.tensor(position)
        return tensor.dtype if tensor else ""

    def output(self) -> Tensor | None:
        """The first output."""
        outputs = self.op.outputs
        return self.tensors[outputs[0]] if outputs and outputs[0] >= 0 else None

    def types(self) -> set[str]:
        """The types of the first input and output."""
        output = self.output()
        return {self.type(0), output.dtype if output else ""}

    def rank(self, position: int) -> int:
        """The number of dimensions of an input."""
        tensor = self.tensor(position)
        return len(tensor.shape or ()) if tensor else 0

    def has(self, option: str) -> bool:
        """Whether an option is set to something other than nothing."""
        return self.op.attributes.get(option) not in (None, 0, False, "NONE", "FLOAT32", "DEFAULT")

    def hybrid(self, position: int) -> str:
        """The type of the weights at *position*, where activations are float; "" otherwise."""
        output = self.output()
        is_float = self.type(0) == "float32" and output is not None and output.dtype == "float32"
        return self.type(position) if is_float else ""

    def wide_broadcast(self) -> bool:
        """Whether two inputs of unlike shapes have more than four dimensions."""
        first, second = self.tensor(0), self.tensor(1)
        unlike = first and second and first.shape != second.shape
        return bool(unlike) and max(self.rank(0), self.rank(1)) > FEW_DIMENSIONS


FEW_DIMENSIONS = 4


def per_channel(tensor: Tensor | None, axis: int, least: int = 1) -> bool:
    """Whether there are as many scales as *tensor* is long on *axis*, and *least* of them."""
    if tensor is None or tensor.quantization is None or not tensor.shape:
        return False
    count = len(tensor.quantization.scales)
    sizes = tensor.shape[axis : axis + 1] if axis >= 0 else tensor.shape[axis:]
    return count >= least and (count,) == sizes[:1]
