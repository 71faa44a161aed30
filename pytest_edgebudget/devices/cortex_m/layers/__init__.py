"""How each operator becomes calls of C functions; one table names them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_edgebudget.devices.cortex_m.layers import elementwise, moves, products, softmax, windows
from pytest_edgebudget.devices.cortex_m.layers.view import Call as Call
from pytest_edgebudget.devices.cortex_m.layers.view import Symbol as Symbol
from pytest_edgebudget.devices.cortex_m.layers.view import Unsupported as Unsupported
from pytest_edgebudget.devices.cortex_m.layers.view import View as View

Maker = Callable[[View], tuple[Call, ...]]

LAYERS: Mapping[str, Maker] = {
    "ADD": elementwise.add,
    "AVERAGE_POOL_2D": windows.average_pool,
    "CONCATENATION": moves.concatenation,
    "CONV_2D": products.convolution,
    "DEPTHWISE_CONV_2D": products.depthwise,
    "DEQUANTIZE": elementwise.dequantize,
    "EXPAND_DIMS": moves.reshape,
    "FULLY_CONNECTED": products.dense,
    "LOGISTIC": elementwise.logistic,
    "MAX_POOL_2D": windows.max_pool,
    "MEAN": windows.mean,
    "MUL": elementwise.mul,
    "PAD": moves.pad,
    "QUANTIZE": elementwise.quantize,
    "RELU": elementwise.relu,
    "RELU6": elementwise.relu,
    "RESHAPE": moves.reshape,
    "SOFTMAX": softmax.softmax,
    "SQUEEZE": moves.reshape,
    "TANH": elementwise.tanh,
}
"""By the kind of the operator. Each raises `Unsupported` for what it has no C for."""
