"""
NaN or infinity among the weights.

What it finds
    Float constants that hold a NaN, and weights and biases of convolutions, dense layers and
    matrix products that hold an infinity. (An infinity elsewhere may be meant: a mask, the
    padding of a maximum.) float32, float16, bfloat16 and float64. A constant with more than
    4,096 infinities or numbers above 1e38 is not searched for a NaN behind them.

Why it hurts
    One NaN in a kernel makes every output that it takes part in NaN, and after a softmax
    or a dense layer all of them; the runtimes compute on and report nothing. An argmax of
    NaNs is class 0. It is what a training that diverged leaves behind, a batch
    normalization folded with a negative variance, or a float16 conversion of weights
    beyond 65504.

Example
    fc: NaN in W, element 27 of 512

Instead
    Take the last checkpoint that was finite, and check it where it is saved
    (``tf.debugging.check_numerics``, ``torch.isfinite``). For float16, scale the weights,
    or keep that layer in float32.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from pytest_edgebudget.graph.constants import origins, used
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity

_ENDS = (0x7F, 0xFF)
_HALF_ENDS = (0x7C, 0x7D, 0x7E, 0x7F, 0xFC, 0xFD, 0xFE, 0xFF)

_FORMS: Mapping[str, tuple[int, tuple[int, ...], str]] = {
    "float64": (8, _ENDS, "d"),
    "float32": (4, _ENDS, "f"),
    "bfloat16": (2, _ENDS, ""),
    "float16": (2, _HALF_ENDS, "e"),
}
"""Bytes, the last bytes that NaN and infinity (and the largest numbers) end with, struct's code."""

_CHUNK = 1 << 20
_MOST = 4096
"""Large numbers or infinities of one constant that are passed over in search of a NaN."""

_LAYERS = frozenset({
    "CONV_2D", "CONV_3D", "CONV_3D_TRANSPOSE", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED",
    "TRANSPOSE_CONV",
    "Conv", "ConvTranspose", "Gemm", "MatMul",
})  # fmt: skip
"""Ops in whose constants an infinity is never meant."""


def check(model: ModelFile) -> Iterator[Finding]:
    """Look at each float constant once."""
    seen: set[tuple[int, bool]] = set()
    for subgraph in model.graph.subgraphs:
        for op, tensor in _constants(subgraph):
            strict = op.kind in _LAYERS
            key = id(tensor.data), strict
            if key in seen:
                continue
            seen.add(key)
            if place := _first(tensor, strict=strict):
                yield _finding(op, tensor, *place)


def _constants(subgraph: Subgraph) -> Iterator[tuple[Op, Tensor]]:
    """The float constants, with the ops that compute with them."""
    tensors = subgraph.tensors
    if not any(tensor.constant and tensor.dtype in _FORMS for tensor in tensors):
        return
    known = origins(subgraph)
    for op in subgraph.ops:
        for _, index in used(op, known):
            if tensors[index].dtype in _FORMS:
                yield op, tensors[index]


def _finding(op: Op, tensor: Tensor, number: int, value: float) -> Finding:
    what = "NaN" if value != value else f"{value:g}"
    message = f"{what} in {tensor.name.partition(';')[0]}, element {number:,}"
    count = f" of {tensor.elements:,}" if tensor.elements else ""
    return Finding(f"{message}{count}", op.name.partition(";")[0])


def _first(tensor: Tensor, *, strict: bool) -> tuple[int, float] | None:
    """
    A NaN of a constant, or with *strict* an infinity, and which element it is.

    Bytes are compared and no numbers: two gigabytes a second and more.
    """
    size, ends, code = _FORMS[tensor.dtype]
    data, passed = tensor.data or memoryview(b""), 0
    for start in range(0, len(data) // size * size, _CHUNK):
        chunk = bytes(data[start : start + _CHUNK])
        last = chunk[size - 1 :: size]  # the sign and most of the exponent
        for end in ends:
            place = last.find(end)
            while place >= 0 and passed < _MOST:
                value = _value(chunk[place * size : (place + 1) * size], code)
                if value != value or (strict and value in _INFINITE):
                    return start // size + place, value
                place, passed = last.find(end, place + 1), passed + 1
    return None


_INFINITE = (float("inf"), float("-inf"))


def _value(data: bytes, code: str) -> float:
    # A bfloat16 is the upper half of a float32.
    value: float = struct.unpack(f"<{code}", data)[0] if code else _value(b"\0\0" + data, "f")
    return value


RULE = Rule(
    code="EB219",
    name="not-finite-weights",
    severity=Severity.ERROR,
    needs=ModelFile,
    check=check,
)
