"""
From hls4ml's graph to logic: adders and tables that answer bit for bit as its C++ does.

da4ml (LGPL-3, by the authors of HGQ2) turns products by constants into adders
and cuts the whole into stages of a pipeline. What is traced here is compared
with the C simulation on random inputs, so that numbers of another network are
never told.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import ModelError

STAGE = 5
"""How much logic lies between two registers, in da4ml's units (about an adder each)."""

TOP = "model"
TRIALS = 300  # random inputs, on which logic and simulation must agree
SIGMOID_REACH = 8.0  # of hls4ml's table (nnet_activation.h: init_sigmoid_table)


def trace(converted: Any) -> Any:
    """
    The logic of a converted model, as da4ml's ``CombLogic``.

    Raises ModelError for a layer that is no dense layer, ReLU or sigmoid.
    """
    from da4ml.trace import FixedVariableArrayInput, comb_trace

    first, *layers = converted.get_layers()
    port = first.get_output_variable()
    inputs = FixedVariableArrayInput(tuple(port.shape))
    # What comes in is fixed-point already: rounding and saturating are the sender's.
    value = inputs.quantize(*_bits(port.type.precision))
    for layer in layers:
        value = _layer(layer, value)
    return comb_trace(inputs, value)


def _layer(layer: Any, value: Any) -> Any:
    kind, function = layer.class_name, layer.attributes.get("activation")
    if kind == "Dense":
        value = value @ _stored(layer.weights["weight"]) + _stored(layer.weights["bias"])
    elif kind == "Activation" and function == "relu":
        value = value.relu()
    elif kind == "Activation" and function == "sigmoid":
        value = value.apply(_sigmoid(layer))
    else:
        raise ModelError(
            f"{layer.name} is a {kind}: logic is made of dense layers, ReLU and sigmoid alone",
            "the accuracy of other models is simulated, their logic is Vitis's to tell",
        )
    return _fixed(value, layer.get_output_variable().type.precision)


def _fixed(value: Any, precision: Any) -> Any:
    modes = {
        "overflow_mode": precision.saturation_mode.name,
        "round_mode": precision.rounding_mode.name,
    }
    return value.quantize(*_bits(precision), **modes)


def _bits(precision: Any) -> tuple[int, int, int]:
    """Sign, integer bits without it, fractional bits."""
    sign = int(precision.signed)
    return sign, precision.integer - sign, precision.fractional


def _stored(weight: Any) -> Any:
    """Weights as they are in the firmware: hls4ml writes so many decimals, not all of them."""
    import numpy as np

    flat = [float(weight.precision_fmt.format(each)) for each in np.ravel(weight.data)]
    return _numbers(np.reshape(flat, weight.data.shape), weight.type.precision)


def _numbers(values: Any, precision: Any) -> Any:
    from quantizers import get_fixed_quantizer_np

    modes = precision.rounding_mode.name, precision.saturation_mode.name
    return get_fixed_quantizer_np(*modes)(values, *_bits(precision))


def _sigmoid(layer: Any) -> Any:
    """hls4ml's table of the sigmoid, and how it is looked up."""
    import numpy as np

    size = layer.get_attr("table_size")
    places = 2 * SIGMOID_REACH * (np.arange(size) - size / 2) / size
    table = _numbers(1 / (1 + np.exp(-places)), layer.get_attr("table_t").precision)

    def look_up(values: Any) -> Any:
        found = np.trunc(values * size / (2 * SIGMOID_REACH)).astype(int) + size // 2
        return table[np.clip(found, 0, size - 1)]

    return look_up


def agree(logic: Any, converted: Any, library: Path) -> bool:
    """Whether logic and C simulation answer alike, to the bit, on random inputs."""
    import numpy as np

    from pytest_edgebudget.worker.runtimes.hls4ml import LibraryModel

    model = LibraryModel(library)
    first = next(iter(converted.get_layers())).get_output_variable()
    reach = 2.0 ** (first.type.precision.integer - 1)
    random = np.random.default_rng(0)
    samples = _numbers(random.uniform(-reach, reach, (TRIALS, *first.shape)), first.type.precision)
    answers = []
    for sample in samples:
        model.set_input(0, sample.reshape(model.inputs[0].shape))
        model.invoke()
        answers.append(model.output(0).ravel())
    return bool(np.array_equal(np.array(answers), logic.predict(samples)))
