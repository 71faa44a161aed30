"""Versions of ops with weights, of recurrent ops, and of conversions (see `tflite_versions`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.graph.tflite_version_use import Use, per_channel

# --- ops with weights ------------------------------------------------------------


def conv(use: Use) -> int:
    """CONV_2D."""
    read, kernel = use.tensor(0), use.tensor(1)
    weights = use.hybrid(1)
    if weights in _TINY:
        return 8
    if use.type(0) == "int16" and _short_bias(use):
        return 8
    if read and kernel and _grouped(read, kernel):
        return 6
    if weights == "int8":
        return 5 if per_channel(kernel, 0) else 2
    return _integer(use, {"int8": 3, "int4": 7})


def _grouped(read: Tensor, kernel: Tensor) -> bool:
    """Whether a kernel sees a part of the channels only."""
    if not read.shape or not kernel.shape or read.shape[-1] < 0:
        return False
    return read.shape[-1] != kernel.shape[-1]


def _short_bias(use: Use) -> bool:
    """Whether the biases of a 16-bit op are of fewer than 64 bits."""
    return use.has("quantized_bias_type") and use.op.attributes["quantized_bias_type"] != "INT64"


def depthwise(use: Use) -> int:
    """DEPTHWISE_CONV_2D."""
    weights = use.hybrid(1)
    if weights in _TINY:
        return 8
    if weights == "int8":
        return 6 if per_channel(use.tensor(1), -1) else 4
    known = _integer(use, {"int8": 3, "int4": 7})
    dilated = any(use.op.attributes.get(f"dilation_{side}_factor", 1) != 1 for side in "wh")
    return known if known > 1 else 2 if dilated else 1


_TINY = ("int4", "int2")


def _integer(use: Use, by_weights: Mapping[str, int]) -> int:
    """The version for int8 activations, by the type of the weights; 1 for others."""
    return by_weights.get(use.type(1), 1) if use.types() == {"int8"} else 1


def dense(use: Use) -> int:
    """FULLY_CONNECTED."""
    hybrid = use.hybrid(1)
    if use.type(1) == "int2":
        return 14
    if use.types() == {"int16"} and use.type(1) == "int4":
        return 13
    if hybrid == "int4" or (hybrid == "int8" and per_channel(use.tensor(1), 0)):
        return 12
    if use.types() == {"int16"} and use.type(1) == "int8" and _short_bias(use):
        return 11
    return _plain_dense(use, hybrid)


def _plain_dense(use: Use, hybrid: str) -> int:
    """FULLY_CONNECTED without what later versions brought."""
    weights = use.tensor(1)
    if weights and weights.sparse:
        return 8
    if use.types() == {"int16"} and use.type(1) == "int16":
        return 7
    if len(use.op.inputs) == 2:
        return 6
    if use.has("keep_num_dims"):
        return 5
    if hybrid == "int8":
        return 9 if use.has("asymmetric_quantize_inputs") else 3
    return max(_integer(use, {"int8": 4, "int4": 10}), 2 if use.has("weights_format") else 1)


def transpose_conv(use: Use) -> int:
    """TRANSPOSE_CONV."""
    if use.type(2) == "int16" and _short_bias(use):
        return 5
    if use.has("fused_activation_function"):
        return 4
    if use.type(3):
        return 3
    return 2 if use.type(1) == "int8" else 1


def embedding(use: Use) -> int:
    """EMBEDDING_LOOKUP."""
    table = use.tensor(1)
    if use.type(1) == "int4" or (table is not None and per_channel(table, 0, least=2)):
        return 4
    return 5 if use.type(1) == "int2" else 1


def matmul(use: Use) -> int:
    """BATCH_MATMUL."""
    if use.hybrid(1) == "int8" and use.has("asymmetric_quantize_inputs"):
        return 4
    return {"int16": 3, "int8": 2}.get(use.type(0), 1)


# --- recurrent ops ---------------------------------------------------------------


def recurrent(position: int) -> Callable[[Use], int]:
    """Ops that have a version for weights of eight bits, and one for unsymmetric inputs."""

    def rule(use: Use) -> int:
        output = use.output()
        if use.type(position) != "int8" or output is None or output.dtype != "float32":
            return 1
        return 3 if use.has("asymmetric_quantize_inputs") else 2

    return rule


def svdf(use: Use) -> int:
    """SVDF."""
    if use.hybrid(1) == "int8":
        return 4 if use.has("asymmetric_quantize_inputs") else 2
    return 3 if use.type(0) == "int8" else 1


def lstm(use: Use) -> int:
    """LSTM."""
    if use.op.attributes.get("kernel_type") == "BASIC":
        return 2
    if use.types() == {"int16"} and use.type(2) == "int8":
        return 5
    if use.hybrid(2) == "int8":
        return 4 if use.has("asymmetric_quantize_inputs") else 3
    return 1


def sequence_lstm(use: Use) -> int:
    """UNIDIRECTIONAL_SEQUENCE_LSTM."""
    if use.types() == {"int16"} and use.type(2) == "int8":
        return 5
    if use.has("diagonal_recurrent_tensors"):
        return 4
    if use.hybrid(2) == "int8":
        return 3 if use.has("asymmetric_quantize_inputs") else 2
    return 1


# --- quantizing ------------------------------------------------------------------


def dequantize(use: Use) -> int:
    """DEQUANTIZE."""
    tensor = use.tensor(0)
    if use.type(0) == "int8" and tensor is not None and _on_its_axis(tensor):
        return 5
    known = {"uint4": 8, "int2": 7, "int4": 6, "int16": 3, "float16": 3, "int8": 2}
    return known.get(use.type(0), 1)


def quantize(use: Use) -> int:
    """QUANTIZE."""
    output = use.output()
    types = use.types()
    if types & {"uint4", "int4"}:
        return 5 if "uint4" in types else 4
    if output is not None and _on_its_axis(output):
        return 3
    return 2 if output is not None and output.dtype == "int16" else 1


def _on_its_axis(tensor: Tensor) -> bool:
    """Whether *tensor* has several scales, one for each channel of the axis that it names."""
    quantization = tensor.quantization
    return quantization is not None and per_channel(tensor, max(quantization.dimension, 0), least=2)
