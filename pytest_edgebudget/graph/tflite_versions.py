"""
The op version that a `.tflite` needs, from its types and options.

A runtime refuses an op version that it does not know; with a version that is
too low it takes the op for one that it can compute, and computes nonsense.

Source: op_version.cc and op_signature.cc of LiteRT 2.3 (tflite/converter/tools/
versioning), which write the versions when a model is converted. Two cases differ:

- Float activations with weights of four or two bits are not there, since the
  converter does not make them. tflite-runtime 2.14 takes such weights for eight
  bits each (a convolutional network on the digits of examples/: accuracy 0.08 in
  place of 0.98), so the op needs the first version that it does not know.
- An op on 16-bit integers that says that its biases have 64 bits gets a version
  of its own there; older kernels take 64 bits for granted, and compute the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pytest_edgebudget.graph import tflite_version_others as others
from pytest_edgebudget.graph import tflite_version_weights as weights
from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor
from pytest_edgebudget.graph.tflite_version_use import Use


def needed_versions(subgraph: Subgraph) -> tuple[int, ...]:
    """The version that each op of *subgraph* needs, in their order."""
    return tuple(needed_version(op, subgraph.tensors) for op in subgraph.ops)


def needed_version(op: Op, tensors: Sequence[Tensor]) -> int:
    """The version that *op* needs; 1 for ops that have no other, or are not known."""
    if op.custom:
        return 1
    if op.kind in _BY_TYPE:
        position, versions = _BY_TYPE[op.kind]
        return versions.get(Use(op, tensors).type(position), 1)
    rule = _RULES.get(op.kind)
    return rule(Use(op, tensors)) if rule else 1


_RULES: Mapping[str, Callable[[Use], int]] = {
    "ABS": others.absolute,
    "ADD": others.add,
    "BATCH_MATMUL": weights.matmul,
    "BATCH_TO_SPACE_ND": others.space_batch,
    "BIDIRECTIONAL_SEQUENCE_LSTM": weights.recurrent(1),
    "BIDIRECTIONAL_SEQUENCE_RNN": weights.recurrent(1),
    "BROADCAST_TO": lambda use: 3 if use.type(0) in ("int8", "int16") else 2,
    "CAST": others.cast,
    "CONV_2D": weights.conv,
    "DEPTHWISE_CONV_2D": weights.depthwise,
    "DEQUANTIZE": weights.dequantize,
    "DIV": others.divide,
    "DYNAMIC_UPDATE_SLICE": others.update_slice,
    "EMBEDDING_LOOKUP": weights.embedding,
    "FAKE_QUANT": others.option("narrow_range"),
    "FULLY_CONNECTED": weights.dense,
    "GATHER": others.gather,
    "GATHER_ND": others.gather_nd,
    "LSTM": weights.lstm,
    "MAXIMUM": others.extreme,
    "MINIMUM": others.extreme,
    "MUL": others.mul,
    "PAD": others.pad,
    "PADV2": others.pad,
    "QUANTIZE": weights.quantize,
    "RESIZE_BILINEAR": others.resize,
    "RESIZE_NEAREST_NEIGHBOR": others.resize,
    "RNN": weights.recurrent(1),
    "SELECT": others.select,
    "SLICE": others.slice_,
    "SPACE_TO_BATCH_ND": others.space_batch,
    "STRIDED_SLICE": others.strided_slice,
    "SUB": others.sub,
    "SVDF": weights.svdf,
    "TOPK_V2": others.top_k,
    "TRANSPOSE": others.transpose,
    "TRANSPOSE_CONV": weights.transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": weights.sequence_lstm,
    "UNIDIRECTIONAL_SEQUENCE_RNN": weights.recurrent(1),
    "WHERE": lambda use: 1 if use.type(0) == "bool" else 2,
}

_INT8 = {"int8": 2}
_INT8_INT16 = {"int8": 2, "int16": 3}

_BY_TYPE: Mapping[str, tuple[int, Mapping[str, int]]] = {
    **dict.fromkeys(
        ("AVERAGE_POOL_2D", "GREATER_EQUAL", "LESS", "LOGISTIC", "MAX_POOL_2D", "MEAN",
         "MIRROR_PAD", "REDUCE_MAX", "REDUCE_MIN", "RELU6", "RSQRT", "TANH"),
        (0, _INT8_INT16),
    ),
    **dict.fromkeys(
        ("DEPTH_TO_SPACE", "GREATER", "L2_NORMALIZATION", "LESS_EQUAL", "LOG_SOFTMAX",
         "SPACE_TO_DEPTH", "SPLIT_V", "SQUARED_DIFFERENCE", "SUM"),
        (0, _INT8),
    ),
    **dict.fromkeys(
        ("EXP", "FLOOR_MOD", "LOG", "REDUCE_PROD", "SQRT"), (0, {"int8": 2, "int16": 2})
    ),
    **dict.fromkeys(("ARG_MAX", "ARG_MIN"), (0, {"int8": 2, "bool": 3})),
    **dict.fromkeys(("COS", "SIN"), (0, {"float16": 2})),
    "CONCATENATION": (0, {"int8": 2, "int16": 3, "uint32": 4, "int4": 5, "float16": 6}),
    "EQUAL": (0, {"int8": 2, "string": 3, "int16": 5}),
    "FILL": (1, {"bool": 2, "string": 2, "int8": 3, "int16": 3, "float16": 4}),
    "FLOOR_DIV": (0, {"float32": 2, "int8": 3, "int16": 3}),
    "GELU": (0, {"int8": 2, "uint8": 2}),
    "LEAKY_RELU": (0, {"int16": 2}),
    "NOT_EQUAL": (0, {"int8": 2, "string": 3, "int16": 4}),
    "PACK": (0, {"int8": 2, "int16": 3, "uint32": 4}),
    "RANGE": (0, {"int64": 2}),
    "RELU": (0, {"int8": 2, "uint8": 2, "int16": 3}),
    "REVERSE_V2": (0, {"bool": 2, "int8": 3}),
    "SELECT_V2": (0, {"uint32": 2}),
    "SIGN": (0, {"int32": 2}),
    "SOFTMAX": (0, {"int8": 2, "int16": 3, "float16": 4}),
    "SPARSE_TO_DENSE": (2, {"int64": 2, "int8": 3, "uint8": 3}),
    "SPLIT": (1, {"int8": 2, "int32": 3, "int16": 4}),
    "SQUEEZE": (0, {"string": 2}),
    "TILE": (0, {"string": 2, "int8": 3}),
    "UNPACK": (0, {"int8": 2, "uint8": 2, "bool": 3, "int16": 4, "float16": 5, "bfloat16": 5}),
}  # fmt: skip
"""Ops whose version follows from the type of one input: its position, version by type."""
