"""
An op whose inputs do not fit each other.

What it finds
    In `.onnx`: matrix products (MatMul, Gemm) whose inner sizes differ, convolutions whose
    weights are for another number of channels, elementwise ops whose inputs cannot be
    broadcast, concatenations of unlike shapes, reshapes to another number of elements.
    Sizes that are not known are taken to fit. (A `.tflite` has the sizes of each tensor
    written down by its converter, which computed them.)

Why it hurts
    onnxruntime refuses the file when it loads it ("[ShapeInferenceError] Dimension mismatch
    in unification between 63 and 64"), or fails in the first run. It happens where weights
    were replaced or pruned in one layer and not in the next, and where an input's size was
    changed while a reshape kept the old one.

Example
    Gemm: 1x64 times 63x8

Instead
    Export again, or change both layers. ``onnx.shape_inference.infer_shapes`` with
    ``strict_mode=True`` checks a file after each edit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from pytest_edgebudget.graph.ir import Op, Subgraph
from pytest_edgebudget.graph.values import integers
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity

Shape = tuple[int, ...]


def _check(model: ModelFile) -> Iterator[Finding]:
    for subgraph in model.graph.subgraphs:
        for op in subgraph.ops:
            rule = _RULES.get(op.kind)
            if rule is not None:
                shapes = [subgraph.tensors[i].shape if i >= 0 else None for i in op.inputs]
                wrong = rule(op, shapes, subgraph)
                if wrong:
                    yield Finding(f"{op.kind}: {wrong}", where=op.name)


Shapes = list[Shape | None]
Check = Callable[[Op, Shapes, Subgraph], str]


def _two(shapes: Shapes) -> tuple[Shape, Shape]:
    """The shapes of the first two inputs; () where one is not known."""
    first, second = (*shapes, None, None)[:2]
    return first or (), second or ()


def _differ(one: int, other: int) -> bool:
    """Whether two known sizes differ."""
    return one >= 0 and other >= 0 and one != other


def _matmul(_: Op, shapes: Shapes, __: Subgraph) -> str:
    left, right = _two(shapes)
    if not left or not right:
        return ""
    inner = _differ(left[-1], right[-2] if len(right) > 1 else right[0])
    return f"{_dims(left)} times {_dims(right)}" if inner else ""


def _gemm(op: Op, shapes: Shapes, _: Subgraph) -> str:
    left, right = _two(shapes)
    if len(left) != len(right) or len(left) != _MATRIX:
        return ""
    left = left[::-1] if op.attributes.get("transA") else left
    right = right[::-1] if op.attributes.get("transB") else right
    return f"{_dims(left)} times {_dims(right)}" if _differ(left[1], right[0]) else ""


_MATRIX = 2


def _conv(op: Op, shapes: Shapes, _: Subgraph) -> str:
    read, kernel = _two(shapes)
    group = op.attributes.get("group", 1)
    if len(read) <= _MATRIX or len(kernel) != len(read) or not isinstance(group, int):
        return ""
    if _differ(read[1], kernel[1] * group if kernel[1] >= 0 else -1):
        groups = f" in {group} groups" if group != 1 else ""
        return f"weights {_dims(kernel)}{groups} for an input of {read[1]} channels"
    return ""


def _elementwise(_: Op, shapes: Shapes, __: Subgraph) -> str:
    known = [shape for shape in shapes if shape]
    for back in range(1, 1 + min((len(shape) for shape in known), default=0)):
        if len({shape[-back] for shape in known} - {1, -1}) > 1:
            return f"{' and '.join(map(_dims, known))} cannot be broadcast"
    return ""


def _concat(op: Op, shapes: Shapes, _: Subgraph) -> str:
    known = [shape for shape in shapes if shape]
    axis = op.attributes.get("axis")
    if not known or not isinstance(axis, int):
        return ""
    rest = [_without(shape, axis) for shape in known]
    fits = len({len(shape) for shape in rest}) == 1 and not any(
        len(set(sizes) - {-1}) > 1 for sizes in zip(*rest, strict=True)
    )
    return "" if fits else f"{' and '.join(map(_dims, known))} are joined along axis {axis}"


def _without(shape: Shape, axis: int) -> Shape:
    place = axis % len(shape)
    return shape[:place] + shape[place + 1 :]


def _reshape(op: Op, shapes: Shapes, subgraph: Subgraph) -> str:
    read = shapes[0] if shapes else None
    index = op.inputs[1] if len(op.inputs) > 1 else -1
    target = integers(subgraph.tensors[index]) if index >= 0 else None
    if read is None or target is None or min(read, default=0) < 0:
        return ""
    if op.attributes.get("allowzero"):
        sizes = target
    elif any(n == 0 and i >= len(read) for i, n in enumerate(target)):
        return f"{_dims(read)} to {_dims(target)}, whose 0 stands for no size"
    else:
        sizes = tuple(read[i] if n == 0 else n for i, n in enumerate(target))
    rest = math.prod(n for n in sizes if n != -1)
    count, whole = sizes.count(-1), math.prod(read)
    if count == 1:
        fits = whole % rest == 0 if rest else whole == 0
    else:
        fits = not count and whole == rest
    return "" if fits else f"{_dims(read)} to {_dims(target)}"


def _dims(shape: Shape) -> str:
    return "x".join("?" if n < 0 else str(n) for n in shape) or "scalar"


_ELEMENTWISE = """
    Add And BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max
    Mean Min Mod Mul Or Pow Sub Sum Where Xor
""".split()  # noqa: SIM905

_RULES: Mapping[str, Check] = {
    **dict.fromkeys(_ELEMENTWISE, _elementwise),
    "Concat": _concat,
    "Conv": _conv,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Reshape": _reshape,
}

RULE = Rule(
    code="EB515",
    name="contradicting-shapes",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=_check,
    formats=frozenset({"onnx"}),
)
