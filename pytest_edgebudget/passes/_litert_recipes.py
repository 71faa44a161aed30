"""Recipes of litert-quantizer, each set on a quantizer with its module ``qtyping``."""

from __future__ import annotations

from typing import Any

EVERYTHING = ".*"


def float16_weights(quantizer: Any, qtyping: Any) -> None:
    """Weights in float16, dequantized before use."""
    tensor = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    quantizer.update_quantization_recipe(
        EVERYTHING,
        qtyping.TFLOperationName.ALL_SUPPORTED,
        qtyping.OpQuantizationConfig(
            weight_tensor_config=tensor,
            compute_precision=qtyping.ComputePrecision.FLOAT,
            explicit_dequantize=True,
        ),
        algorithm_key="float_casting",
    )


def dynamic(quantizer: Any, qtyping: Any) -> None:
    """Weights in int8; activations become int8 as they come."""
    quantizer.add_dynamic_config(EVERYTHING, qtyping.TFLOperationName.ALL_SUPPORTED, 8)


def int8_weights(quantizer: Any, qtyping: Any) -> None:
    """Weights in int8, dequantized before use."""
    quantizer.add_weight_only_config(EVERYTHING, qtyping.TFLOperationName.ALL_SUPPORTED, 8)


def int4_weights(quantizer: Any, qtyping: Any) -> None:
    """Weights in int4, but int8 in the convolutions for which int4 is not supported."""
    names = qtyping.TFLOperationName
    quantizer.add_weight_only_config(EVERYTHING, names.ALL_SUPPORTED, 4)
    for name in (names.DEPTHWISE_CONV_2D, names.CONV_2D_TRANSPOSE):
        quantizer.add_weight_only_config(EVERYTHING, name, 8)


def static(activation_bits: int, per_channel: bool, quantizer: Any, qtyping: Any) -> None:
    """Weights in int8 and activations in *activation_bits*, by calibration."""
    granularity = qtyping.QuantGranularity
    quantizer.add_static_config(
        EVERYTHING,
        qtyping.TFLOperationName.ALL_SUPPORTED,
        activation_num_bits=activation_bits,
        weight_num_bits=8,
        weight_granularity=granularity.CHANNELWISE if per_channel else granularity.TENSORWISE,
    )
