"""Graphs whose weights are integers and whose activations are floats: dynamic-range models."""

from __future__ import annotations

from collections.abc import Callable

from static_builder import File, Net, options
from tflite_models import schema

HYBRIDS: dict[str, Callable[[], bytes]] = {}


def hybrid(build: Callable[[Net], int]) -> Callable[[Net], int]:
    def pack() -> bytes:
        net = File(seed=11).graph("FLOAT32")
        net.outputs = [build(net)]
        return net.file.pack()

    HYBRIDS[f"hybrid_{build.__name__}"] = pack
    return build


@hybrid
def convolutions(net: Net) -> int:
    x = net.conv(net.input([1, 12, 12, 3]), 8, 3, 2, w="INT8")
    x = net.depthwise(net.relu(x), w="INT8")
    y = net.conv(x, 8, 1, w="INT8")
    x = net.add(x, y)
    return net.dense(net.reshape(x, [1, 288]), 5, w="INT8")


@hybrid
def dense_in_batches(net: Net) -> int:
    x = net.dense(net.input([7, 24]), 24, w="INT8")
    x = net.softmax(net.add(x, net.dense(x, 24, w="INT8")))
    return net.dense(x, 3, w="INT8")


@hybrid
def four_bits(net: Net) -> int:
    x = net.conv(net.input([1, 8, 8, 4]), 6, 3, w="INT4")
    return net.relu(x)


@hybrid
def filters_in_time(net: Net) -> int:
    x = net.dense(net.input([1, 20]), 16)
    filters, memory, units = 24, 5, 12
    state = net.tensor([1, filters * memory], isVariable=True)
    inputs = [x, net.weights([filters, 16], "INT8"), net.weights([filters, memory], "INT8"),
              net.bias(units), state]  # fmt: skip
    return net.relu(net.op("SVDF", inputs, [1, units], options=options("SVDF", rank=2)))


@hybrid
def lstm(net: Net) -> int:
    return _lstm(net, coupled=False, projected=0)


@hybrid
def lstm_with_coupled_gates(net: Net) -> int:
    return _lstm(net, coupled=True, projected=0)


@hybrid
def lstm_with_projection(net: Net) -> int:
    return _lstm(net, coupled=False, projected=9)


def _lstm(net: Net, coupled: bool, projected: int) -> int:
    units, steps, size = 6, 7, 5
    out = projected or units
    gates = [-1] * coupled + [net.weights([units, size], "INT8") for _ in range(4 - coupled)]
    again = [-1] * coupled + [net.weights([units, out], "INT8") for _ in range(4 - coupled)]
    biases = [-1] * coupled + [net.bias(units) for _ in range(4 - coupled)]
    projection = [net.weights([out, units], "INT8") if projected else -1, -1]
    states = [net.tensor([1, out], isVariable=True), net.tensor([1, units], isVariable=True)]
    x = net.relu(net.input([1, steps, size]))
    tanh = schema.ActivationFunctionType.TANH
    x = net.op(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        [x, *gates, *again, -1, -1, -1, *biases, *projection, *states, *[-1] * 4],
        [1, steps, out],
        options=options("UnidirectionalSequenceLSTM", fusedActivationFunction=tanh),
    )
    return net.relu(x)


@hybrid
def half_precision(net: Net) -> int:
    """Weights of 16 bits, which DEQUANTIZE unpacks: as the converter writes float16 models."""
    x = net.input([1, 6, 6, 4])
    half = net.tensor([5, 1, 1, 4], "FLOAT16", net.file.buffer(bytes(2 * 20)))
    weights = net.op("DEQUANTIZE", [half], [5, 1, 1, 4])
    conv = options("Conv2D", strideW=1, strideH=1)
    x = net.op("CONV_2D", [x, weights, net.bias(5)], [1, 6, 6, 5], options=conv)
    return net.relu(x)
