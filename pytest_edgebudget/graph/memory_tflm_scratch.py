"""
The scratch memory that TensorFlow Lite Micro's reference kernels ask for.

Each kernel's Prepare may request buffers that live as long as its op; all are
in the same plan as the tensors. Source of each function: the kernel's file in
tensorflow/lite/micro/kernels, of the release 0.dev20261023 against which the
tests compare; which kernels ask at all was read from its machine code.

A function here returns the bytes of each request in order, or a sentence that
says why they are not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

from pytest_edgebudget.graph.ir import Op, Tensor
from pytest_edgebudget.graph.memory_sizes import elements, held_bytes, shape_of

Tensors = Sequence[Tensor]
Scratch = Callable[[Op, Tensors], tuple[int, ...] | str]

POINTER = 8
"""Bytes of a pointer in the runtime compared with; a 32-bit target has 4 (ADD_N)."""

_INT = 4

WITHOUT = frozenset(
    """
    ABS ADD ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND
    BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION COS CUMSUM DEPTH_TO_SPACE
    DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR
    FLOOR_DIV FLOOR_MOD GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION
    L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC
    LOG_SOFTMAX MAXIMUM MAX_POOL_2D MINIMUM MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE
    READ_VARIABLE RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND
    RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT
    SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB TANH TRANSPOSE UNPACK VAR_HANDLE WHILE
    ZEROS_LIKE
    """.split()  # noqa: SIM905
)
"""Kernels that never request any."""


ETHOS_U = "ethos-u"
"""The custom operator that Vela makes of what an Arm Ethos-U runs."""


def scratch(op: Op, tensors: Tensors) -> tuple[int, ...] | str:
    """Bytes of each scratch buffer of *op*, in the order of the requests; or why not."""
    if op.custom and op.kind == ETHOS_U:
        return _ethos_u(op)
    if op.kind in WITHOUT and not op.custom:
        return ()
    if op.kind not in _BY_KIND or op.custom:
        return f"{op.kind}: the scratch memory of this op is not known"
    return _BY_KIND[op.kind](op, tensors)


def _ethos_u(op: Op) -> tuple[int, ...]:
    """ethos_u/ethosu.cc: an address of 64 bits and a size of 32 for each operand and result."""
    count = len(op.inputs) + len(op.outputs)
    return 8 * count, 4 * count


def operand(op: Op, tensors: Tensors, position: int) -> Tensor | None:
    """An input; None where it is left out."""
    if position >= len(op.inputs) or op.inputs[position] < 0:
        return None
    return tensors[op.inputs[position]]


def result(op: Op, tensors: Tensors) -> Tensor | None:
    """The first output."""
    return tensors[op.outputs[0]] if op.outputs and op.outputs[0] >= 0 else None


def _weighted(op: Op, tensors: Tensors) -> tuple[int, ...] | str:
    """conv_common.cc, depthwise_conv_common.cc, fully_connected.cc: int4 weights, unpacked."""
    source, weights = operand(op, tensors, 0), operand(op, tensors, 1)
    if source is None or weights is None:
        return f"{op.kind}: an input is missing"
    if source.dtype == "float32" and weights.dtype != "float32":
        return f"{op.kind}: float inputs with {weights.dtype} weights do not run here"
    return (elements(weights),) if weights.dtype == "int4" else ()


def _transpose_conv(op: Op, tensors: Tensors) -> tuple[int, ...] | str:
    """transpose_conv.cc: accumulators of the whole output, and a 16-bit bias widened."""
    source, output = operand(op, tensors, 2), result(op, tensors)
    bias = operand(op, tensors, 3)
    if source is None or output is None:
        return f"{op.kind}: an input is missing"
    if source.dtype == "int8":
        return (4 * elements(output),)
    if source.dtype != "int16":
        return ()
    widened = (8 * elements(bias),) if bias is not None and bias.dtype == "int16" else ()
    return (8 * elements(output), *widened)


def _reduced(op: Op, tensors: Tensors) -> tuple[int, ...] | str:
    """reduce_common.cc, PrepareMinMaxHelper and PrepareAllHelper: an index and the axes."""
    source, axes = operand(op, tensors, 0), operand(op, tensors, 1)
    if source is None or axes is None:
        return f"{op.kind}: an input is missing"
    return _INT * len(shape_of(source)), _INT * elements(axes)


def _summed(op: Op, tensors: Tensors) -> tuple[int, ...] | str:
    """reduce_common.cc, PrepareMeanOrSumHelper: sums of 32 bits, then as `_reduced`."""
    source, output = operand(op, tensors, 0), result(op, tensors)
    rest = _reduced(op, tensors)
    if source is None or output is None or isinstance(rest, str):
        return f"{op.kind}: an input is missing"
    sums = (_INT * elements(output),) if source.dtype in ("int8", "int16") else ()
    return (*sums, *rest)


def _svdf(op: Op, tensors: Tensors) -> tuple[int, ...] | str:
    """svdf_common.cc: a number for each filter, and integer outputs before scaling."""
    source, features = operand(op, tensors, 0), operand(op, tensors, 1)
    output = result(op, tensors)
    if source is None or features is None or output is None:
        return f"{op.kind}: an input is missing"
    filters = prod(shape_of(source)[:1] + shape_of(features)[:1])  # batch, filters
    return (4 * filters, 4 * elements(output)) if source.dtype == "int8" else (4 * filters,)


def _lstm(op: Op, tensors: Tensors) -> tuple[int, ...] | str:
    """unidirectional_sequence_lstm.cc: four gates of the size of the cell state."""
    cell = operand(op, tensors, 19)
    return (held_bytes(cell),) * 4 if cell is not None else f"{op.kind}: no cell state"


def _add_n(op: Op, tensors: Tensors) -> tuple[int, ...] | str:
    """add_n.cc: a pointer for each input."""
    return (POINTER * len(op.inputs),)


def _mirror_pad(op: Op, tensors: Tensors) -> tuple[int, ...] | str:
    """mirror_pad.cc: the strides of the input and of the output."""
    source = operand(op, tensors, 0)
    if source is None:
        return f"{op.kind}: an input is missing"
    return (_INT * len(shape_of(source)),) * 2


_BY_KIND: Mapping[str, Scratch] = {
    "ADD_N": _add_n,
    "CONV_2D": _weighted,
    "DEPTHWISE_CONV_2D": _weighted,
    "FULLY_CONNECTED": _weighted,
    "MEAN": _summed,
    "MIRROR_PAD": _mirror_pad,
    "REDUCE_ALL": _reduced,
    "REDUCE_MAX": _reduced,
    "REDUCE_MIN": _reduced,
    "SUM": _summed,
    "SVDF": _svdf,
    "TRANSPOSE_CONV": _transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}

KNOWN = WITHOUT | _BY_KIND.keys()
"""The ops whose scratch memory is known."""
