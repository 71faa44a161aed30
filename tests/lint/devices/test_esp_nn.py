"""ESP-NN's table: what the kernels of espressif/esp-tflite-micro hand to it, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices import load_profile, profiles
from pytest_edgebudget.devices.constraints import table_of
from pytest_edgebudget.devices.placement import placed
from pytest_edgebudget.lint.devices import slow_kernel
from pytest_edgebudget.lint.quantization import float_ends
from tests.graph import tflite_models as tfl
from tests.lint.check import messages
from tests.lint.devices.tflm_ops import Case

ESP = load_profile(profiles()["esp32s3-tflm"])
LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def reasons(path: Path, content: bytes) -> list[str]:
    """Why the op does not run in ESP-NN."""
    path.write_bytes(content)
    table = table_of("esp-nn")
    assert table is not None
    (only,) = placed(graph.read(path), table)
    return [str(reason) for reason in only.reasons]


@pytest.mark.parametrize("kind", [*LAYERS, "ADD", "MUL", "SOFTMAX"])
def test_a_layer_is_fast_in_int8_only(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "op.tflite"
    assert reasons(path, Case(kind, "INT8").pack()) == []
    for dtype in ("FLOAT32", "INT16"):
        (reason,) = reasons(path, Case(kind, dtype).pack())[:1]
        assert reason == f"there is a fast kernel for int8 only (in0 is {dtype.lower()})"


@pytest.mark.parametrize("kind", LAYERS)
def test_weights_of_four_bits_are_unpacked_for_the_reference_kernel(
    kind: str, tmp_path: Path
) -> None:
    found = reasons(tmp_path / "op.tflite", Case(kind, "INT8", stored="INT4").pack())
    assert found == ["the fast kernels take int8 weights only (in1 is int4)"]


def test_a_pool_is_fast_for_channels_by_fours(tmp_path: Path) -> None:
    path = tmp_path / "op.tflite"
    options = tfl.schema.Pool2DOptionsT()
    options.filterWidth = options.filterHeight = options.strideW = options.strideH = 2
    for channels, found in (
        (8, []),
        (6, ["the number of channels must be a multiple of 4 (depth 6)"]),
    ):
        tensors = [
            tfl.tensor("x", [1, 4, 4, channels], "INT8"),
            tfl.tensor("y", [1, 2, 2, channels], "INT8"),
        ]
        pool = tfl.subgraph(tensors, [tfl.op(0, [0], [1], options)], [0], [1])
        content = tfl.pack(tfl.model([tfl.code("MAX_POOL_2D", 2)], [pool], [tfl.buffer()]))
        assert reasons(path, content) == found


def dilated(factor: int) -> bytes:
    options = tfl.schema.Conv2DOptionsT()
    options.strideW = options.strideH = 1
    options.dilationWFactor = options.dilationHFactor = factor
    scale = tfl.quantization([0.1], [0])
    tensors = [
        tfl.tensor("x", [1, 8, 8, 4], "INT8", quantization=scale),
        tfl.tensor("weights", [4, 3, 3, 4], "INT8", buffer=1, quantization=scale),
        tfl.tensor("y", [1, 8, 8, 4], "INT8", quantization=scale),
    ]
    graphs = [tfl.subgraph(tensors, [tfl.op(0, [0, 1, -1], [2], options)], [0], [2])]
    buffers = [tfl.buffer(), tfl.buffer(bytes([1]) * 144)]
    return tfl.pack(tfl.model([tfl.code("CONV_2D", 3)], graphs, buffers))


def test_a_dilated_convolution_is_slow_on_an_esp32(tmp_path: Path) -> None:
    path = tmp_path / "conv.tflite"
    path.write_bytes(dilated(2))
    assert messages(slow_kernel.RULE, path, ESP) == [
        "100 % of the multiply-accumulates run in reference kernels, not in ESP-NN: CONV_2D; "
        "the fast kernels take no dilation (dilation_w_factor is 2)"
    ]
    path.write_bytes(dilated(1))
    assert messages(slow_kernel.RULE, path, ESP) == []


@pytest.mark.reference
def test_a_float_model_is_slow_on_an_esp32_and_its_int8_twin_is_not(
    reference_models: Path,
) -> None:
    models = reference_models / "kws_dscnn" / "models"
    (found,) = messages(slow_kernel.RULE, models / "kws_float32.tflite", ESP)
    assert found.startswith("100 % of the multiply-accumulates run in reference kernels, not in")
    assert messages(slow_kernel.RULE, models / "kws_int8.tflite", ESP) == []


def test_float_ends_of_an_integer_model_are_found_on_an_esp32(tmp_path: Path) -> None:
    scale = tfl.quantization([0.1], [0])
    tensors = [
        tfl.tensor("x", [1, 4]),
        tfl.tensor("q", [1, 4], "INT8", quantization=scale),
        tfl.tensor("weights", [4, 4], "INT8", buffer=1, quantization=scale),
        tfl.tensor("y", [1, 4], "INT8", quantization=scale),
    ]
    ops = [
        tfl.op(0, [0], [1], tfl.schema.QuantizeOptionsT()),
        tfl.op(1, [1, 2, -1], [3], tfl.schema.FullyConnectedOptionsT()),
    ]
    codes = [tfl.code("QUANTIZE"), tfl.code("FULLY_CONNECTED", 4)]
    buffers = [tfl.buffer(), tfl.buffer(bytes(range(16)))]
    path = tmp_path / "ends.tflite"
    path.write_bytes(tfl.pack(tfl.model(codes, [tfl.subgraph(tensors, ops, [0], [3])], buffers)))
    assert messages(float_ends.RULE, path, ESP) == [
        "this input is float32: 16 bytes where int8 needs 4"
    ]
