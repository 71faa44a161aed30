"""
An op that does nothing.

What it finds
    Reshapes and transposes to what is there already, padding by zero, concatenations
    and splits of one, slices of everything, tiles by one, pooling of single pixels,
    multiplication by one, addition of zero, a second RELU. In .onnx, only what
    onnxruntime 1.32 keeps.

Why it hurts
    It copies its input in each inference (the bytes are named in the message), and has a
    tensor of its own in the arena.

Example
    A `ZeroPadding2D(0)` or `Rescaling(1.0)` that a model builder adds for every input; an
    augmentation layer that does nothing outside training.

Instead
    Leave the layer out of the exported model. onnxsim removes most of them from .onnx.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.graph.values import integers, numbers
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.structure._ops import (
    VIEWS,
    activation,
    by_cost,
    bytes_once,
    index_of,
    input_of,
    output_of,
    permutation,
    shown,
    size,
)

Test = Callable[[Op, Links], bool]


def check(model: ModelFile) -> Iterator[Finding]:
    """Ask each op whether it changes anything."""
    for links in model.links:
        for op in links.subgraph.ops:
            test = _TESTS.get(op.kind)
            if test and not _is_constant(op, links) and test(op, links):
                yield _finding(op, links)


def _finding(op: Op, links: Links) -> Finding:
    """Runtimes may give a reshape the memory of its input: it costs little."""
    if op.kind in VIEWS:
        return Finding(f"{op.kind} changes nothing", shown(op), severity=Severity.NOTE)
    copied = bytes_once(output_of(links.subgraph, op))
    cost = f": {size(copied)} are copied" if copied else ""
    return Finding(f"{op.kind} changes nothing{cost}", shown(op), severity=by_cost(copied))


def _is_constant(op: Op, links: Links) -> bool:
    """Computing with constants only is the matter of another rule."""
    data = input_of(links.subgraph, op, 0)
    return data is not None and data.constant


def _elements_kept(op: Op, links: Links) -> bool:
    """Input 0 and the output have one shape, type and scale; one size may be open."""
    before, after = input_of(links.subgraph, op, 0), output_of(links.subgraph, op)
    return before is not None and after is not None and _same(before, after)


def _size_kept(op: Op, links: Links) -> bool:
    """The same, of ops that may change an open size: no size is open."""
    before = input_of(links.subgraph, op, 0)
    return before is not None and before.elements is not None and _elements_kept(op, links)


def _same(before: Tensor, after: Tensor) -> bool:
    if before.shape is None or before.shape != after.shape or before.shape.count(-1) > 1:
        return False
    return before.dtype == after.dtype and before.quantization == after.quantization


def _padded_by_zero(op: Op, links: Links) -> bool:
    pads = numbers(input_of(links.subgraph, op, 1))
    return bool(pads) and not any(pads or ()) and _elements_kept(op, links)


def _tiled_once(op: Op, links: Links) -> bool:
    return set(numbers(input_of(links.subgraph, op, 1)) or ()) == {1}


def _everything(op: Op, links: Links) -> bool:
    """A slice as long as its input that does not go backwards."""
    position = _STRIDES.get(op.kind, -1)
    if position >= 0 and index_of(op, position) >= 0:
        strides = numbers(input_of(links.subgraph, op, position))
        if strides is None or min(strides, default=1) < 0:
            return False
    return _size_kept(op, links) or _others_cut(op, links)


def _others_cut(op: Op, links: Links) -> bool:
    """A Slice along axes of known sizes, beside an open one."""
    axes, before = integers(input_of(links.subgraph, op, 3)), input_of(links.subgraph, op, 0)
    if op.kind != "Slice" or not axes or before is None or not before.shape:
        return False
    cut = {axis % len(before.shape) for axis in axes}
    return all(before.shape[axis] >= 0 for axis in cut) and _elements_kept(op, links)


def _axes_kept(op: Op, links: Links) -> bool:
    axes = permutation(links.subgraph, op)
    return axes is not None and axes == tuple(range(len(axes)))


def _only_one(op: Op, links: Links) -> bool:
    return len(op.inputs) == 1 and activation(op) == "NONE" and _elements_kept(op, links)


def _not_split(op: Op, links: Links) -> bool:
    return len(op.outputs) == 1


def _single_pixels(op: Op, links: Links) -> bool:
    if op.kind.isupper():
        window = {op.attributes.get(name) for name in _WINDOW}
        return window == {1} and activation(op) == "NONE" and _elements_kept(op, links)
    kernel = op.attributes.get("kernel_shape")
    return isinstance(kernel, tuple) and set(kernel) == {1} and _size_kept(op, links)


def _same_size(op: Op, links: Links) -> bool:
    """A resize that samples each pixel where it is."""
    return _size_kept(op, links) and op.attributes.get("coordinate_transformation_mode") not in (
        "tf_crop_and_resize",
    )


def _neutral(neutral: float) -> Test:
    """The other operand is *neutral* in all its elements, of which there are few."""

    def test(op: Op, links: Links) -> bool:
        sub = links.subgraph
        if len(op.inputs) != 2 or activation(op) != "NONE":
            return False
        for data, other in ((0, 1), (1, 0)) if op.kind in _COMMUTATIVE else ((0, 1),):
            before, after = input_of(sub, op, data), output_of(sub, op)
            sized = before is not None and before.elements is not None
            if (
                before
                and after
                and sized
                and _same(before, after)
                and _all(sub, op, other, neutral)
            ):
                return True
        return False

    return test


def _all(sub: Subgraph, op: Op, position: int, value: float) -> bool:
    constant = input_of(sub, op, position)
    if constant is None or constant.data is None or len(constant.data) > _LONGEST:
        return False
    if constant.quantization is not None:
        return False  # its numbers are not its values
    found = numbers(constant)
    return bool(found) and set(found or ()) == {value}


def _clipped_before(op: Op, links: Links) -> bool:
    """Behind a RELU, or an op that applies one, nothing is negative."""
    before = links.producer(index_of(op, 0))
    if before is None or not _elements_kept(op, links):
        return False
    return before.kind in ("RELU", "RELU6", "Relu") or activation(before) in ("RELU", "RELU6")


_WINDOW = ("filter_width", "filter_height", "stride_w", "stride_h")
_LONGEST = 16 * 1024
_STRIDES = {"STRIDED_SLICE": 3, "Slice": 4}
_COMMUTATIVE = frozenset({"ADD", "Add", "MUL", "Mul"})

_TESTS: Mapping[str, Test] = {
    **dict.fromkeys(("RESHAPE", "Reshape"), _elements_kept),
    **dict.fromkeys(("BROADCAST_TO", "Expand"), _size_kept),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD", "Pad"), _padded_by_zero),
    **dict.fromkeys(("SLICE", "STRIDED_SLICE", "Slice"), _everything),
    **dict.fromkeys(("TILE", "Tile"), _tiled_once),
    **dict.fromkeys(("TRANSPOSE", "Transpose"), _axes_kept),
    **dict.fromkeys(("CONCATENATION", "ADD_N", "Concat", "Max", "Mean", "Min", "Sum"), _only_one),
    **dict.fromkeys(("SPLIT", "SPLIT_V", "Split"), _not_split),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "AveragePool", "MaxPool"), _single_pixels),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "Resize"), _same_size),
    **dict.fromkeys(("MUL", "DIV"), _neutral(1)),
    **dict.fromkeys(("ADD", "SUB"), _neutral(0)),
    "CAST": _elements_kept,
    "RELU": _clipped_before,
    "Relu": _clipped_before,
}
"""The ops that may do nothing, and how that shows."""

RULE = Rule(
    code="EB213",
    name="idle-ops",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
)
