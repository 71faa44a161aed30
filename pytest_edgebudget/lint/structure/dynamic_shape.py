"""
Sizes are open that an edge runtime plans with.

What it finds
    Ops of the model that get a size from a computation instead of a constant, and the
    open input that makes them do so; in .tflite also inputs with open sizes beyond the
    batch. An open batch alone is no finding: the runtime takes one.

Why it hurts
    The arena is no longer static: LiteRT plans no memory for such a tensor nor for any
    behind it, and takes it from the heap in each inference. TensorFlow Lite Micro plans
    with the sizes in the file, but has no kernel for some of the ops that compute sizes
    (REDUCE_PROD, TILE). Those ops run each time, and delegates leave such subgraphs to
    the CPU. In .onnx it is a note: onnxruntime copes, most NPUs do not.

Example
    A Keras model with a Flatten, converted with an open batch: SHAPE -> STRIDED_SLICE ->
    PACK -> RESHAPE instead of one RESHAPE.

Instead
    Keras: `model.export(path, input_signature=[keras.InputSpec(shape=(1, 32, 32, 3))])`,
    then convert the SavedModel. .onnx: export without dynamic_axes, or
    `python -m onnxruntime.tools.make_dynamic_shape_fixed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_edgebudget.graph.ir import Op, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.structure._ops import dims, index_of, plural, shown

_SIZES: Mapping[str, tuple[int, ...]] = {
    "BROADCAST_TO": (1,), "CONV_3D_TRANSPOSE": (0,), "EXPAND_DIMS": (1,), "FILL": (0,),
    "MIRROR_PAD": (1,), "ONE_HOT": (1,), "PAD": (1,), "PADV2": (1,), "RANGE": (0, 1, 2),
    "RESHAPE": (1,), "RESIZE_BILINEAR": (1,), "RESIZE_NEAREST_NEIGHBOR": (1,),
    "SLICE": (2,), "STRIDED_SLICE": (1, 2, 3), "TILE": (1,), "TOPK_V2": (1,),
    "TRANSPOSE_CONV": (0,),
    "ConstantOfShape": (0,), "Expand": (1,), "OneHot": (1,), "Pad": (1,), "Range": (0, 1, 2),
    "Reshape": (1,), "Resize": (2, 3), "Slice": (1, 2, 3, 4), "Tile": (1,), "TopK": (1,),
}  # fmt: skip
"""The inputs that decide the size of an op's result."""

_ASKS = frozenset({"RANK", "SHAPE", "Shape", "Size"})
"""Ops that turn a size into a number: what they look at is no number itself."""


def check(model: ModelFile) -> Iterator[Finding]:
    """Ops whose size is computed, and inputs with open sizes."""
    onnx = model.graph.format == "onnx"
    for links in model.links:
        found = [op for op in links.subgraph.ops if _computed(op, links)]
        steps, varying = _steps(found, links)
        # What follows from known sizes alone, onnxruntime computes when it loads.
        if found and (varying or not onnx):
            yield _finding(found, steps, model, onnx)
    if not onnx:
        yield from _open_inputs(model)


def _computed(op: Op, links: Links) -> bool:
    """Whether an input that decides the size is no constant."""
    indices = (index_of(op, position) for position in _SIZES.get(op.kind, ()))
    return any(i >= 0 and not links.subgraph.tensors[i].constant for i in indices)


def _steps(ops: list[Op], links: Links) -> tuple[list[Op], bool]:
    """The ops that compute those sizes, and whether they begin with something open."""
    tensors = links.subgraph.tensors
    left = [index_of(op, position) for op in ops for position in _SIZES[op.kind]]
    seen: dict[int, Op] = {}
    varying = False
    while left:
        index = left.pop()
        if index < 0 or tensors[index].constant or links.producers.get(index) in seen:
            continue
        number = links.producers.get(index)
        if number is None:
            varying = True  # a number that comes from outside
            continue
        op = seen[number] = links.subgraph.ops[number]
        if op.kind in _ASKS:
            varying |= any(i >= 0 and _open(tensors[i]) for i in op.inputs)
        else:
            left += op.inputs
    return list(seen.values()), varying


def _open(tensor: Tensor) -> bool:
    return tensor.shape is None or -1 in tensor.shape


def _finding(ops: list[Op], steps: list[Op], model: ModelFile, onnx: bool) -> Finding:
    graph = model.graph
    inputs = [graph.tensors[i] for i in graph.main.inputs if _open(graph.tensors[i])]
    shapes = [f"'{t.name}' is open ({dims(t.shape or ())})" for t in inputs[:1]]
    kinds = sorted({op.kind for op in (*steps, *ops)})
    work = f"{plural(len({id(op) for op in (*steps, *ops)}), 'op')} ({', '.join(kinds)})"
    message = "; ".join([*shapes, f"sizes are worked out at run time, by {work}"])
    return Finding(message, shown(ops[0]), severity=Severity.NOTE if onnx else None)


def _open_inputs(model: ModelFile) -> Iterator[Finding]:
    graph = model.graph
    for index in graph.main.inputs:
        tensor = graph.tensors[index]
        if -1 in (tensor.shape or ())[1:]:
            start = (
                f", a runtime starts with {dims(tensor.default_shape)}"
                if tensor.default_shape
                else ""
            )
            yield Finding(
                f"the input is open beyond its batch: {dims(tensor.shape or ())}{start}",
                tensor.name,
            )


RULE = Rule(
    code="EB201",
    name="dynamic-shape",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
)
