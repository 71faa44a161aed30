"""
The temporary tensors of LiteRT's kernels: how many, how large, and where they are.

Source: `Init` and `Prepare` of each kernel in tflite/kernels of LiteRT, as
BUILTIN_REF registers them (register_ref.cc), and the optimised ones of BUILTIN.
A kernel that is in no table here is one whose scratch memory is not known.
Where a kernel has some for each thread, there is one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

from pytest_edgebudget.graph.dtypes import BITS
from pytest_edgebudget.graph.memory_litert_homes import MOST_FOLDED, Home
from pytest_edgebudget.graph.memory_litert_hybrid import (
    batch_matmul,
    conv,
    depthwise,
    fully_connected,
    is_hybrid,
    transpose_conv,
)
from pytest_edgebudget.graph.memory_litert_recurrent import LSTM_SLOTS, SVDF_SLOTS, lstm, svdf
from pytest_edgebudget.graph.memory_litert_temporary import Temporary, UnknownScratch, Use

WITHOUT = frozenset(
    """
    ABS ADD ARG_MAX ARG_MIN ASSIGN_VARIABLE ATAN2 AVERAGE_POOL_2D BATCH_TO_SPACE_ND BITCAST
    BITWISE_XOR BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION COS CUMSUM
    DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP
    EXPAND_DIMS FAKE_QUANT FILL FLOOR FLOOR_DIV FLOOR_MOD GATHER GATHER_ND GELU GREATER
    GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL
    LOCAL_RESPONSE_NORMALIZATION LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX
    MAXIMUM MAX_POOL_2D MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL ONE_HOT PACK PAD PADV2 POW PRELU
    QUANTIZE RANGE RANK READ_VARIABLE RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE
    RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_SEQUENCE REVERSE_V2 ROUND RSQRT SCATTER_ND
    SELECT SELECT_V2 SHAPE SIGN SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT
    SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB TANH TILE TOPK_V2
    TRANSPOSE UNPACK VAR_HANDLE WHILE ZEROS_LIKE
    """.split()  # noqa: SIM905
)
"""Kernels without temporaries."""

AT_ONCE: Mapping[str, int] = {
    "ADD_N": 1,
    "SVDF": SVDF_SLOTS,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": LSTM_SLOTS,
}
"""Kernels that number so many temporaries when the file is read, used or not."""

_LATER: Mapping[str, int] = {
    "BATCH_MATMUL": 7,
    "FULLY_CONNECTED": 6,
    "MEAN": 4,
    "REDUCE_ALL": 4,
    "REDUCE_ANY": 4,
    "REDUCE_MAX": 4,
    "REDUCE_MIN": 4,
    "REDUCE_PROD": 4,
    "SUM": 4,
}
"""Kernels that number so many when they prepare, used or not; the rest: what they use."""

_BYTE, _WORD, _LONG = 1, 4, 8
_SMALL = ("uint8", "int8", "int16")
_WEIGHTS = ("uint8", "int8", "int4")


def temporaries(use: Use) -> Sequence[Temporary | None]:
    """
    Each temporary of an op, in the runtime's numbering; None: numbered, and not used.

    Raises:
        UnknownScratch: the kernel is not in the tables.
    """
    if use.op.custom or (use.op.kind not in WITHOUT and use.op.kind not in _KERNELS):
        raise UnknownScratch(f"{use.op.kind}: the scratch memory of this op is not known")
    if use.op.kind in WITHOUT:
        return ()
    found: Sequence[Temporary | None] = _KERNELS[use.op.kind](use)
    slots = AT_ONCE.get(use.op.kind) or _LATER.get(use.op.kind, 0)
    return [*found, *([None] * (slots - len(found)))]


def _conv(use: Use) -> list[Temporary]:
    hybrid = is_hybrid(use, 0, 1, _WEIGHTS)
    im2col = []
    if (hybrid or use.optimised) and _gathers(use, use.shape(1)[1:3]):
        width = _BYTE if hybrid else BITS.get(use.dtype(0), 0) // 8
        size = prod(use.output[:3]) * prod(use.shape(1)[1:]) * width
        im2col = [Temporary("im2col", size)]
    return conv(use, im2col) if hybrid else im2col


def _conv_3d(use: Use) -> list[Temporary]:
    if not use.optimised or not _gathers(use, use.shape(1)[:3]):
        return []
    return [Temporary("im2col", prod(use.output[:4]) * prod(use.shape(1)[:4]) * _WORD)]


def _gathers(use: Use, window: Sequence[int]) -> bool:
    """Whether a window is more than one pixel, or pixels are left out."""
    steps = [use.number(f"{kind}_{axis}") for kind, axis in _STEPS]
    return any(step != 1 for step in steps) or any(n != 1 for n in window)


_STEPS = (
    ("stride", "w"),
    ("stride", "h"),
    ("stride", "d"),
    ("dilation", "w_factor"),
    ("dilation", "h_factor"),
    ("dilation", "d_factor"),
)


def _depthwise(use: Use) -> list[Temporary]:
    return depthwise(use) if is_hybrid(use, 0, 1, ("int8",)) else []


def _fully_connected(use: Use) -> list[Temporary]:
    if not is_hybrid(use, 0, 1, (*_WEIGHTS, "int2")):
        return []
    if use.optimised and use.dtype(1) == "int4":
        raise UnknownScratch(f"{use.op.kind}: how 4-bit weights are unpacked depends on the CPU")
    return fully_connected(use)


def _batch_matmul(use: Use) -> list[Temporary]:
    if min(len(use.shape(0)), len(use.shape(1))) < 2:
        raise UnknownScratch(f"{use.op.kind}: an input is no matrix")
    kept = Home.PERSISTENT if use.constant(1) else Home.ARENA
    found = [
        Temporary("transposed left", use.bytes(0)),
        Temporary("transposed right", use.bytes(1), kept),
    ]
    return [*found, *batch_matmul(use)] if is_hybrid(use, 0, 1, ("int8",)) else found


def _transpose_conv(use: Use) -> list[Temporary]:
    found = []
    if use.optimised:
        pixels = prod(use.shape(2)[1:3]) * prod(use.shape(1)[:3])
        found.append(Temporary("col2im", pixels * _WORD, Home.HEAP))
        found.append(Temporary("transposed weights", use.bytes(1), Home.HEAP))
    if use.dtype(2) in _SMALL:
        found.append(Temporary("accumulators", prod(use.output) * _bias_bytes(use), Home.HEAP))
    return [*found, *(transpose_conv(use) if is_hybrid(use, 2, 1, ("int8",)) else [])]


def _bias_bytes(use: Use) -> int:
    named = use.op.attributes.get("quantized_bias_type")
    return _LONG if use.dtype(2) == "int16" and named != "INT32" else _WORD


_SUMS: Mapping[str, int] = {"float32": 4, "int32": 8, "int64": 8, "bool": 1}


def _reduce(use: Use) -> list[Temporary | None]:
    """The index of an element, the axes, a sum for each output, the sizes."""
    rank = Temporary("index", len(use.shape(0)) * _WORD)
    folded = use.op.kind == "REDUCE_PROD" and use.known(0) and use.known(1)
    folded = folded and prod(use.output) <= MOST_FOLDED
    axes = Home.HEAP if folded or not use.known(1) else Home.ARENA
    sizes = Home.ARENA if use.known(0) and not folded else Home.HEAP
    total = prod(use.output) * _SUMS.get(use.dtype(0), _WORD)
    return [
        rank,
        Temporary("axes", use.elements(1) * _WORD, axes),
        Temporary("sums", total, axes) if use.op.kind in ("MEAN", "SUM", "REDUCE_PROD") else None,
        Temporary("sizes", rank.size, sizes),
    ]


def _add_n(use: Use) -> list[Temporary]:
    return [Temporary("sum", use.bytes(0))]


_KERNELS: Mapping[str, Callable[[Use], Sequence[Temporary | None]]] = {
    "ADD_N": _add_n,
    "BATCH_MATMUL": _batch_matmul,
    "CONV_2D": _conv,
    "CONV_3D": _conv_3d,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "MEAN": _reduce,
    "REDUCE_ALL": _reduce,
    "REDUCE_ANY": _reduce,
    "REDUCE_MAX": _reduce,
    "REDUCE_MIN": _reduce,
    "REDUCE_PROD": _reduce,
    "SUM": _reduce,
    "SVDF": svdf,
    "TRANSPOSE_CONV": _transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm,
}
