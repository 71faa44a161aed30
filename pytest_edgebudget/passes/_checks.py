"""Sentences that say which promise a file breaks; empty when it keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.passes._weights import Weight, weights

NAMED = 3
"""So many layers are named in a sentence; the others are counted."""


def interface(before: Graph, after: Graph) -> str:
    """The inputs and outputs have to keep number and shape."""
    for what, old, new in (
        ("inputs", _tensors(before, before.main.inputs), _tensors(after, after.main.inputs)),
        ("outputs", _tensors(before, before.main.outputs), _tensors(after, after.main.outputs)),
    ):
        if [tensor.shape for tensor in old] != [tensor.shape for tensor in new]:
            return f"the {what} changed their shape: {_shapes(old)} became {_shapes(new)}"
    return ""


def weight_dtype(after: Graph, dtype: str, *, direct: bool | None = None) -> str:
    """Every weight has to be stored as *dtype*, read directly or dequantized first."""
    return weight_dtypes(after, lambda kind: dtype, direct=direct)


def weight_dtypes(
    after: Graph, dtype_of: Callable[[str], str], *, direct: bool | None = None
) -> str:
    """Every weight has to be stored as its kind of op says; *direct* as in `Weight`."""
    found = weights(after)
    if not found:
        return "there are no weights in the file"
    others = [weight for weight in found if weight.tensor.dtype != dtype_of(weight.op.kind)]
    if others:
        return f"weights are not {dtype_of(others[0].op.kind)}: {_names(map(_of, others))}"
    wrong = [weight.op.name for weight in found if direct not in (None, weight.direct)]
    how = "dequantized before use" if direct else "not dequantized before use"
    return f"weights are {how}: {_names(wrong)}" if wrong else ""


def same_dtypes(before: Graph, after: Graph) -> str:
    """No tensor may have changed its dtype."""
    old = {tensor.name: tensor.dtype for tensor in before.tensors}
    changed = [t.name for t in after.tensors if t.name and old.get(t.name, t.dtype) != t.dtype]
    return f"dtypes changed: {_names(changed)}" if changed else ""


def smaller(before: Graph, after: Graph) -> str:
    """The model has to be smaller than before."""
    old, new = _bytes(before), _bytes(after)
    return "" if new < old else f"the file did not shrink ({old} bytes before, {new} after)"


def _bytes(graph: Graph) -> int:
    """Bytes of the file, and of its constants where they lie beside it."""
    beside = sum(tensor.stored_bytes for tensor in graph.tensors) if graph.external else 0
    return graph.size + beside


def integer(after: Graph, dtype: str) -> str:
    """Every convolution and dense layer has to compute on *dtype*."""
    left = [op.name for main, op in _layers(after) if dtype not in _computes_on(main, op)]
    return f"layers do not compute in {dtype}: {_names(left)}" if left else ""


def integer_ends(after: Graph, dtype: str) -> str:
    """Inputs and outputs of a `.tflite` may not be float."""
    ends = _tensors(after, (*after.main.inputs, *after.main.outputs))
    others = [f"{tensor.name} ({tensor.dtype})" for tensor in ends if _is_float(tensor)]
    wrong = others and after.format == "tflite"
    return f"inputs or outputs are not {dtype}: {_names(others)}" if wrong else ""


def float_activations(after: Graph) -> str:
    """No convolution or dense layer may compute on calibrated integers."""
    fixed = {"int8", "int16"}
    wrong = [op.name for main, op in _layers(after) if _computes_on(main, op) & fixed]
    return f"activations are not float: {_names(wrong)}" if wrong else ""


def _layers(graph: Graph) -> tuple[tuple[Subgraph, Op], ...]:
    """Ops with weights, each once, and where they are."""
    found = {id(weight.op): (weight.subgraph, weight.op) for weight in weights(graph)}
    return tuple(found.values())


ZERO_POINT_THIRD = ("QLinearConv", "QLinearMatMul", "QGemm")
"""Ops on integers by themselves; their third input has the activations' dtype."""


def _computes_on(graph: Subgraph, op: Op) -> set[str]:
    """Dtypes of the activations of *op*, seen through a DequantizeLinear before it."""
    if op.kind.removeprefix("com.microsoft:") in ZERO_POINT_THIRD:
        return {graph.tensors[op.inputs[2]].dtype}
    makers = {output: maker for maker in graph.ops for output in maker.outputs}
    dtypes = set()
    for index in op.inputs:
        maker = makers.get(index)
        while maker is not None and maker.kind in ("DequantizeLinear", "Reshape", "RESHAPE"):
            index = maker.inputs[0]
            maker = makers.get(index)
        if index >= 0 and not graph.tensors[index].constant:
            dtypes.add(graph.tensors[index].dtype)
    return dtypes


def all_of(*checks: str) -> str:
    """The first sentence that is one."""
    return next((sentence for sentence in checks if sentence), "")


def left_float(graph: Graph) -> tuple[str, ...]:
    """Kinds of ops that compute in float in an otherwise integer `.tflite`, in their order."""
    if graph.format != "tflite" or (integer(graph, "int8") and integer(graph, "int16")):
        return ()
    kinds: dict[str, None] = {}
    for op in graph.ops:
        ends = _tensors(graph, op.outputs)
        if ends and all(_is_float(tensor) for tensor in ends) and op.kind not in CONVERSIONS:
            kinds[op.kind] = None
    return tuple(kinds)


CONVERSIONS = {"DEQUANTIZE", "DequantizeLinear", "Cast", "CAST"}


def _tensors(graph: Graph, indices: Iterable[int]) -> tuple[Tensor, ...]:
    return tuple(graph.tensors[index] for index in indices if index >= 0)


def _is_float(tensor: Tensor) -> bool:
    return tensor.dtype.startswith(("float", "bfloat"))


def _of(weight: Weight) -> str:
    return f"{weight.op.name.split(';')[0]} ({weight.tensor.dtype})"


def _shapes(tensors: Iterable[Tensor]) -> str:
    return ", ".join(str(tensor.shape) for tensor in tensors) or "none"


def _names(names: Iterable[str]) -> str:
    # TensorFlow joins the names of all the ops that it has fused.
    listed = [name.split(";")[0] for name in names]
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more
