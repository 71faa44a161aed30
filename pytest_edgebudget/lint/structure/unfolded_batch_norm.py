"""
A scaling behind a layer, where the layer's own weights and bias could hold it.

What it finds
    A batch normalization, or a multiplication and addition by constants of one number a
    channel, behind a convolution or dense layer without an activation between them
    (a reshape may be). Its result must have no other use, and the weights no other user.

Why it hurts
    In a .tflite each of these ops reads and writes the whole result once more in each
    inference (the bytes are named in the message). onnxruntime folds what stands directly
    behind Conv, ConvTranspose and MatMul when it loads the model - such a finding is a
    note - but not behind Gemm, and not through a reshape. Everywhere: a quantizer that
    sees the pair gives each op scales and a rounding of its own.

Example
    Conv -> Squeeze -> Mul -> Add: what tf2onnx makes of a Keras Conv1D with a
    BatchNormalization.

Instead
    Fold it: multiply the weights, and scale and shift the bias. TFLiteConverter does so
    for layers next to one another. For .onnx, fold before the export (in PyTorch
    `torch.nn.utils.fusion.fuse_conv_bn_eval` and `fuse_linear_bn_eval`), or write what
    onnxruntime folds into the file: `python -m onnxruntime.quantization.preprocess`. A
    Conv1D may be written as a Conv2D of height one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Op, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.structure._ops import (
    VIEWS,
    activation,
    by_cost,
    bytes_once,
    index_of,
    output_of,
    result,
    shown,
    size,
)

_LAYERS = {
    "CONV_2D": -1, "CONV_3D": -1, "DEPTHWISE_CONV_2D": -1, "FULLY_CONNECTED": -1,
    "TRANSPOSE_CONV": -1, "Conv": 1, "ConvTranspose": 1, "Gemm": -1, "MatMul": -1,
}  # fmt: skip
"""Ops with weights as second input, and the axis of the channels in their result."""

_LINEAR = frozenset({"ADD", "DIV", "MUL", "SUB", "Add", "Div", "Mul", "Sub"})
_FOLDED_AT_LOAD = frozenset({"Conv", "ConvTranspose"})

_LONGEST = 8


def check(model: ModelFile) -> Iterator[Finding]:
    """Follow the result of each layer; one note for all that the runtime folds."""
    at_load: list[tuple[Op, Op]] = []
    for links in model.links:
        for layer in links.subgraph.ops:
            if layer.kind not in _LAYERS or not _foldable(layer, links):
                continue
            whole = _scalings(layer, links)
            chain = _without_bias(layer, whole)
            if chain and _folded_at_load(layer, whole):
                at_load.append((layer, chain[0]))
            elif chain:
                yield _finding(layer, chain, links)
    if at_load:
        yield _note(at_load)


def _foldable(layer: Op, links: Links) -> bool:
    """Whether it has no activation yet, and weights that no other op uses."""
    index = index_of(layer, 1)
    if index < 0 or activation(layer) != "NONE" or links.only_consumer(index) is None:
        return False
    return links.subgraph.tensors[index].constant


def _without_bias(layer: Op, chain: list[Op]) -> list[Op]:
    """The chain behind an addition that is the layer's bias, as .onnx writes it."""
    direct = bool(chain) and chain[0].kind == "Add"
    if layer.kind == "MatMul":  # it has no bias of its own
        return chain[1:] if direct else [] if _only_adds(chain) else chain
    return [] if direct and len(chain) == 1 and layer.kind in _FOLDED_AT_LOAD else chain


def _only_adds(chain: list[Op]) -> bool:
    return all(op.kind == "Add" or op.kind in VIEWS for op in chain)


def _folded_at_load(layer: Op, chain: list[Op]) -> bool:
    """As seen in the models that onnxruntime 1.32 writes back (optimized_model_filepath)."""
    if layer.kind == "MatMul":
        return [op.kind for op in chain] == ["BatchNormalization"]
    return layer.kind in _FOLDED_AT_LOAD and not any(op.kind in VIEWS for op in chain)


def _scalings(layer: Op, links: Links) -> list[Op]:
    """The ops behind *layer* that its weights could hold, views among them."""
    chain: list[Op] = []
    index, length = result(layer), 0
    for _ in range(_LONGEST):
        op = links.only_consumer(index)
        if op is None or not (op.kind in VIEWS or _scales(op, index, layer, links)):
            break
        chain.append(op)
        length = length if op.kind in VIEWS else len(chain)
        if activation(op) != "NONE":
            break
        index = result(op)
    return chain[:length]


def _scales(op: Op, index: int, layer: Op, links: Links) -> bool:
    """Whether *op* multiplies or shifts tensor *index* by a number a channel."""
    if op.kind == "BatchNormalization":
        return index_of(op, 0) == index and not op.attributes.get("training_mode")
    if op.kind not in _LINEAR or len(op.inputs) != 2:
        return False
    other = op.inputs[1] if op.inputs[0] == index else op.inputs[0]
    if other < 0 or (op.kind in ("DIV", "Div") and op.inputs[1] != other):
        return False
    tensors = links.subgraph.tensors
    return _one_a_channel(tensors[other], tensors[index], layer, links)


def _one_a_channel(constant: Tensor, data: Tensor, layer: Op, links: Links) -> bool:
    """Whether *constant* broadcasts over all but the channels of *layer*'s result."""
    made = output_of(links.subgraph, layer)
    if not constant.constant or made is None or not made.shape or not data.shape:
        return False
    shape = constant.shape or ()
    wide = [axis for axis, n in enumerate(shape, len(data.shape) - len(shape)) if n != 1]
    if not wide:
        return len(shape) <= len(data.shape)
    if len(wide) > 1 or wide[0] < 0:
        return False
    axis = _LAYERS[layer.kind] % len(made.shape)
    # Views keep the order of elements: the channels lie where as many of them are outside.
    return _around(data.shape, wide[0]) == _around(made.shape, axis)


def _around(shape: tuple[int, ...], axis: int) -> tuple[int, int, int]:
    """Elements before *axis*, along it, and behind it; an open size counts as one."""
    known = [max(n, 1) for n in shape]
    return math.prod(known[:axis]), known[axis], math.prod(known[axis + 1 :])


def _finding(layer: Op, chain: list[Op], links: Links) -> Finding:
    kinds = " and ".join(op.kind for op in chain if op.kind not in VIEWS)
    scalings = [op for op in chain if op.kind not in VIEWS]
    moved = sum(bytes_once(output_of(links.subgraph, op)) for op in scalings)
    message = f"{kinds} behind {layer.kind} could be part of its weights and bias"
    cost = f": {size(moved)} are written and read once more" if moved else ""
    return Finding(message + cost, shown(scalings[0]), severity=by_cost(moved))


def _note(found: list[tuple[Op, Op]]) -> Finding:
    layer, scaling = found[0]
    others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    message = (
        f"{scaling.kind} behind {layer.kind}{others} could be part of its weights and bias: "
        "onnxruntime folds it at each start, a quantizer may not"
    )
    return Finding(message, shown(scaling), severity=Severity.NOTE)


RULE = Rule(
    code="EB203",
    name="unfolded-batch-norm",
    severity=Severity.WARNING,
    needs=ModelFile,
    check=check,
)
