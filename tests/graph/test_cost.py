"""MACs, parameters and bytes by layer, against Keras, TensorFlow and published figures."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tflite_models as tfl

from pytest_edgebudget import graph
from pytest_edgebudget.graph.cost import LayerCost, bytes_by_layer, layer_costs


def costs_of(folder: Path, content: bytes, suffix: str = ".tflite") -> tuple[LayerCost, ...]:
    path = folder / f"model{suffix}"
    path.write_bytes(content)
    return layer_costs(graph.read(path))


def macs(costs: tuple[LayerCost, ...]) -> int:
    return sum(cost.macs or 0 for cost in costs)


def parameters(costs: tuple[LayerCost, ...]) -> int:
    return sum(cost.parameters for cost in costs)


# --- models that Keras builds and counts --------------------------------------------------


@pytest.fixture(scope="module")
def keras_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What keras_models.py writes, in a process of its own: .tflite, .onnx, counts.json."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    folder = tmp_path_factory.mktemp("keras")
    script = Path(__file__).parent / "keras_models.py"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, str(script), str(folder)]
    subprocess.run(command, check=True, capture_output=True, env=environment, timeout=300)
    return folder


SUFFIXES = pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
FILES = pytest.mark.parametrize("open_batch", ["", "_open"], ids=["one", "open"])


def keras_costs(folder: Path, name: str) -> tuple[tuple[LayerCost, ...], dict[str, int]]:
    path = folder / name
    counts = json.loads((folder / "counts.json").read_text())
    return layer_costs(graph.read(path)), counts[path.stem.removesuffix("_open")]


@pytest.mark.slow
@SUFFIXES
@FILES
@pytest.mark.parametrize("name", ["cnn", "dilated", "separable", "conv1d", "decoder"])
def test_macs_are_half_of_tensorflows_floating_point_operations(
    keras_folder: Path, name: str, open_batch: str, suffix: str
) -> None:
    costs, counts = keras_costs(keras_folder, f"{name}{open_batch}{suffix}")
    assert macs(costs) == counts["flops"] // 2
    assert all(cost.macs is not None for cost in costs)


@pytest.mark.slow
@SUFFIXES
@FILES
def test_macs_of_attention_are_the_textbooks(
    keras_folder: Path, open_batch: str, suffix: str
) -> None:
    # 4 n d^2 + 2 n^2 d (Vaswani et al., 2017) for n = 12 steps of width d = 16;
    # TensorFlow's profiler counts the projections, the first term, only.
    costs, counts = keras_costs(keras_folder, f"attention{open_batch}{suffix}")
    assert macs(costs) == counts["flops"] // 2 + 2 * 12**2 * 16


@pytest.mark.slow
@SUFFIXES
@pytest.mark.parametrize("name", ["elementwise", "dilated", "embedding"])
def test_all_other_operations_are_what_tensorflow_counts(
    keras_folder: Path, name: str, suffix: str
) -> None:
    if (name, suffix) == ("embedding", ".onnx"):
        pytest.skip("tf2onnx writes the selection of negative indices with more ops")
    costs, counts = keras_costs(keras_folder, f"{name}{suffix}")
    assert sum(cost.operations or 0 for cost in costs) == counts["others"]
    assert macs(costs) == counts["flops"] // 2
    assert all(cost.operations is not None for cost in costs)


@pytest.mark.slow
@SUFFIXES
@pytest.mark.parametrize("name", ["cnn", "dilated", "conv1d", "decoder", "attention", "embedding"])
def test_parameters_are_what_keras_counts(keras_folder: Path, name: str, suffix: str) -> None:
    costs, counts = keras_costs(keras_folder, f"{name}{suffix}")
    assert parameters(costs) == counts["parameters"]


@pytest.mark.slow
@SUFFIXES
def test_a_loop_of_unknown_length_has_no_count(keras_folder: Path, suffix: str) -> None:
    costs, _ = keras_costs(keras_folder, f"lstm{suffix}")
    assert [cost.kind for cost in costs if cost.macs is None] in (["WHILE"], ["Loop"])
    assert macs(costs) == 14  # the dense layer behind it, 7 x 2


# --- published figures -----------------------------------------------------------------------

# Banbury et al., "MLPerf Tiny Benchmark", NeurIPS 2021: the reference models.
PUBLISHED = {"kws": 2.66e6, "resnet8_": 12.5e6, "ad01": 0.264e6}


@pytest.mark.reference
@pytest.mark.parametrize("name", PUBLISHED)
def test_macs_of_the_reference_models_are_the_published_ones(
    reference_models: Path, name: str
) -> None:
    found = sorted(reference_models.glob(f"*/models/{name}*.[ot]*"))
    counted = [path for path in found if "alibaba" not in path.name and "large" not in path.name]
    assert len(counted) >= 2
    for path in counted:
        assert macs(layer_costs(graph.read(path))) == pytest.approx(PUBLISHED[name], rel=0.003)


@pytest.mark.reference
def test_the_same_network_costs_the_same_in_both_formats(reference_models: Path) -> None:
    for first, second in (
        ("kws_dscnn/models/kws_int8.tflite", "kws_dscnn/models/kws_qdq_int8.onnx"),
        ("ic_resnet8/models/resnet8_float32.tflite", "ic_resnet8/models/resnet8_qdq_int8.onnx"),
        ("ad_autoencoder/models/ad01_int8.tflite", "ad_autoencoder/models/ad_qdq_int8.onnx"),
    ):
        ours, theirs = (layer_costs(graph.read(reference_models / n)) for n in (first, second))
        assert macs(ours) == macs(theirs)
        assert parameters(ours) == parameters(theirs)


@pytest.mark.reference
def test_layer_bytes_add_up_to_the_file(reference_models: Path) -> None:
    for path in sorted(reference_models.glob("*/models/*.[ot]*")):
        if path.suffix in (".tflite", ".onnx"):
            layers = bytes_by_layer(graph.read(path))
            assert sum(layer.value for layer in layers) == path.stat().st_size
            assert sorted(layers, key=lambda layer: -layer.value) == list(layers)


# --- hand-built .tflite ---------------------------------------------------------------------


def test_each_layer_has_its_share(tmp_path: Path) -> None:
    conv, reshape, dense = costs_of(tmp_path, tfl.pack(tfl.small_cnn()))
    assert conv == LayerCost(
        name="features",
        kind="CONV_2D",
        macs=4 * 4 * 3 * 3 * 3 * 2,
        parameters=54 + 3,
        weight_bytes=4 * 57,
        macs_by_kind={"convolution": 864},
        operations=48 + 48,  # bias, relu6
        read=4 * (4 * 4 * 2 + 57),
        written=4 * 48,
        stored={"float32": 228},
        shape=(1, 4, 4, 3),
        dtype="float32",
    )
    assert reshape == LayerCost(
        *("flat", "RESHAPE", 0, 0, 8), stored={"int32": 8}, shape=(1, 48), dtype="float32", op=1
    )
    assert (dense.macs_by_kind, dense.operations) == ({"fully_connected": 240}, 0)
    assert (dense.read, dense.written, dense.op) == (4 * 48 * 6, 4 * 5, 2)


def test_weights_that_two_layers_share_count_once(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    main = value.subgraphs[0]
    main.tensors += [tfl.tensor("again", [5, 48], buffer=4), tfl.tensor("scores_2", [1, 5])]
    main.operators.append(tfl.op(2, [5, 8, -1], [9]))
    first, second = costs_of(tmp_path, tfl.pack(value))[2:]
    assert (first.macs, first.parameters, first.weight_bytes) == (240, 240, 960)
    assert (second.macs, second.parameters, second.weight_bytes) == (240, 0, 0)


def test_weights_behind_a_dequantize_belong_to_their_layer(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    main = value.subgraphs[0]
    value.operatorCodes.append(tfl.code("DEQUANTIZE"))
    main.tensors[6].type = tfl.schema.TensorType.FLOAT16
    value.buffers[4] = tfl.buffer(bytes(480))
    main.tensors.append(tfl.tensor("as_float", [5, 48]))
    main.operators.insert(2, tfl.op(3, [6], [8]))
    main.operators[3].inputs = [5, 8, -1]
    dequantize, dense = costs_of(tmp_path, tfl.pack(value))[2:]
    assert (dequantize.parameters, dequantize.weight_bytes) == (0, 0)
    assert (dense.macs, dense.parameters, dense.weight_bytes) == (240, 240, 480)


def test_a_custom_op_cannot_be_counted(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.operatorCodes[1] = tfl.code("CUSTOM", custom="AudioMagic")
    value.subgraphs[0].operators[1] = tfl.op(1, [3], [5])
    assert [cost.macs for cost in costs_of(tmp_path, tfl.pack(value))] == [864, None, 240]


def recurrent(kind: str, options: Any, shapes: list[list[int]], data: list[int]) -> bytes:
    """One recurrent op; *shapes* of its weights, all constants."""
    tensors = [tfl.tensor("x", data), tfl.tensor("y", [*data[:-1], 6])]
    buffers = [tfl.buffer()]
    for number, shape in enumerate(shapes, 1):
        tensors.append(tfl.tensor(f"w{number}", shape, buffer=number))
        buffers.append(tfl.buffer(tfl.floats(math.prod(shape))))
    state = tfl.tensor("state", [data[0], 6], isVariable=True)
    tensors.append(state)
    inputs = [0, *range(2, len(tensors))]
    main = tfl.subgraph(tensors, [tfl.op(0, inputs, [1], options)], [0], [1])
    return tfl.pack(tfl.model([tfl.code(kind)], [main], buffers))


@pytest.mark.parametrize("time_major", [False, True])
def test_lstm_macs_are_four_gates_a_step(tmp_path: Path, time_major: bool) -> None:
    # h = 6 cells, i = 5 inputs, 9 steps: 9 * 4 h (i + h); biases and peepholes add nothing
    options = tfl.schema.UnidirectionalSequenceLSTMOptionsT()
    options.timeMajor = time_major
    shapes = [[6, 5]] * 4 + [[6, 6]] * 4 + [[6]] * 7
    data = [9, 1, 5] if time_major else [1, 9, 5]
    (lstm,) = costs_of(tmp_path, recurrent("UNIDIRECTIONAL_SEQUENCE_LSTM", options, shapes, data))
    assert lstm.macs == 9 * 4 * 6 * (5 + 6)
    assert lstm.parameters == 4 * 6 * (5 + 6) + 7 * 6


def test_an_lstm_in_both_directions_is_two_of_one(tmp_path: Path) -> None:
    # One way: 4 biases, 5 functions, 3 products and 1 sum for each cell and step.
    options = tfl.schema.BidirectionalSequenceLSTMOptionsT()
    gates, other = [[6, 5]] * 4 + [[6, 6]] * 4 + [[6]] * 7, [[7, 5]] * 4 + [[7, 7]] * 4 + [[7]] * 7
    shapes = [*gates, [1, 6], [1], *other]
    (both,) = costs_of(
        tmp_path, recurrent("BIDIRECTIONAL_SEQUENCE_LSTM", options, shapes, [1, 9, 5])
    )
    assert both.operations == 13 * 9 * (6 + 7)


def test_bilinear_resizing_is_four_products_and_three_sums(tmp_path: Path) -> None:
    tensors = [tfl.tensor("x", [1, 4, 5, 3]), tfl.tensor("y", [1, 8, 10, 3])]
    tensors.append(tfl.tensor("size", [2], "INT32", buffer=1))
    main = tfl.subgraph(tensors, [tfl.op(0, [0, 2], [1])], [0], [1])
    buffers = [tfl.buffer(), tfl.buffer(bytes([8, 0, 0, 0, 10, 0, 0, 0]))]
    content = tfl.pack(tfl.model([tfl.code("RESIZE_BILINEAR")], [main], buffers))
    (resized,) = costs_of(tmp_path, content)
    assert resized.operations == 8 * 10 * 3 * (4 + 3)


def calling(kind: str, options: Any, inner: int) -> bytes:
    """A model whose first op calls a subgraph (number *inner*) with the small CNN."""
    cnn = tfl.small_cnn()
    tensors = [tfl.tensor("x", [1, 4, 4, 2]), tfl.tensor("y", [1, 5])]
    main = tfl.subgraph(tensors, [tfl.op(3, [0], [1], options)], [0], [1])
    branch = cnn.subgraphs[0]
    codes = [*cnn.operatorCodes, tfl.code(kind)]
    return tfl.pack(tfl.model(codes, [main, branch][: inner + 1], cnn.buffers))


def test_a_call_costs_what_it_calls(tmp_path: Path) -> None:
    options = tfl.schema.CallOptionsT()
    options.subgraph = 1
    costs = costs_of(tmp_path, calling("CALL", options, 1))
    assert [cost.macs for cost in costs] == [864 + 240, 0, 0, 0]
    assert parameters(costs) == 57 + 240


def test_equal_branches_cost_the_same_and_a_loop_is_unknown(tmp_path: Path) -> None:
    branches, loop = tfl.schema.IfOptionsT(), tfl.schema.WhileOptionsT()
    branches.thenSubgraphIndex = branches.elseSubgraphIndex = 1
    loop.condSubgraphIndex = loop.bodySubgraphIndex = 1
    assert costs_of(tmp_path, calling("IF", branches, 1))[0].macs == 864 + 240
    assert costs_of(tmp_path, calling("WHILE", loop, 1))[0].macs is None


# --- hand-built .onnx -----------------------------------------------------------------------


def onnx_costs(
    folder: Path, kind: str, inputs: list[Any], weights: list[Any], order: str, **attributes: Any
) -> LayerCost:
    """The cost of the last op of a model of one op; *order*: its input names."""
    import onnx_models as om

    outputs = [om.helper.make_empty_tensor_value_info("y")]
    node = om.helper.make_node(kind, order.split(), ["y"], **attributes)
    proto = om.model([node], inputs, outputs, weights)
    return costs_of(folder, proto.SerializeToString(), ".onnx")[-1]


def test_integer_convolutions_count_like_floats_and_leave_scales_out(tmp_path: Path) -> None:
    import onnx_models as om

    weights = [om.constant("s"), om.constant("z", dtype="uint8"), om.constant("v", dtype="int8")]
    weights += [om.constant("w", 4, 6, 3, 3, dtype="int8"), om.constant("b", 4, dtype="int32")]
    data = om.value("x", 1, 6, 9, 11, kind=om.TensorProto.UINT8)
    plain = onnx_costs(
        tmp_path, "Conv", [om.value("x", 1, 6, 9, 11)], [om.constant("w", 4, 6, 3, 3)], "x w"
    )
    linear = onnx_costs(tmp_path, "QLinearConv", [data], weights, "x s z w s v s z b")
    integer = onnx_costs(tmp_path, "ConvInteger", [data], weights[3:4], "x w")
    assert plain.macs == linear.macs == integer.macs == 7 * 9 * 4 * 6 * 3 * 3
    assert (plain.parameters, linear.parameters, integer.parameters) == (216, 220, 216)
    assert linear.weight_bytes == 216 + 4 * 4 + 4 + 1 + 1


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_recurrent_macs_are_gates_times_both_matrices(
    tmp_path: Path, kind: str, gates: int
) -> None:
    import onnx_models as om

    weights = [om.constant("w", 2, gates * 6, 5), om.constant("r", 2, gates * 6, 6)]
    weights.append(om.constant("b", 2, gates * 12))
    cost = onnx_costs(tmp_path, kind, [om.value("x", 9, 1, 5)], weights, "x w r b", hidden_size=6,
                      direction="bidirectional")  # fmt: skip
    assert cost.macs == 9 * 2 * gates * 6 * (5 + 6)
    assert cost.parameters == 2 * gates * 6 * (5 + 6 + 2)


def test_a_dynamic_batch_counts_as_one_and_another_dynamic_size_not(tmp_path: Path) -> None:
    import onnx_models as om

    weights = [om.constant("w", 8, 3)]
    batch = onnx_costs(tmp_path, "MatMul", [om.value("x", "n", 5, 8)], weights, "x w")
    steps = onnx_costs(tmp_path, "MatMul", [om.value("x", 1, "t", 8)], weights, "x w")
    assert (batch.macs, steps.macs) == (5 * 8 * 3, None)


@pytest.mark.parametrize(
    ("mode", "sizes", "count"),
    [
        ("nearest", (1, 3, 8, 10), 0),
        ("linear", (1, 3, 8, 10), 4 + 3),
        ("linear", (1, 3, 4, 10), 2 + 1),
        ("cubic", (1, 3, 8, 10), 16 + 15),
        ("linear", (1, 3, 4, 5), 0),
    ],
)
def test_resizing_an_onnx_image_is_a_product_a_neighbour_and_their_sum(
    tmp_path: Path, mode: str, sizes: tuple[int, ...], count: int
) -> None:
    import onnx_models as om

    target = om.helper.make_tensor("sizes", om.TensorProto.INT64, [4], sizes)
    image = om.value("x", 1, 3, 4, 5)
    node = om.helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode=mode)
    proto = om.model([node], [image], [om.helper.make_empty_tensor_value_info("y")], [target])
    (cost,) = costs_of(tmp_path, proto.SerializeToString(), ".onnx")
    assert cost.operations == count * math.prod(sizes)


def test_settings_of_elementwise_ops_are_no_parameters(tmp_path: Path) -> None:
    import onnx_models as om

    limits = [om.constant("low"), om.constant("high")]
    clip = onnx_costs(tmp_path, "Clip", [om.value("x", 1, 4)], limits, "x low high")
    rescale = onnx_costs(tmp_path, "Mul", [om.value("x", 1, 4)], [om.constant("w")], "x w")
    scale = onnx_costs(tmp_path, "Mul", [om.value("x", 1, 4)], [om.constant("w", 4)], "x w")
    assert (clip.parameters, rescale.parameters, scale.parameters) == (0, 0, 4)


def test_dynamic_quantization_by_onnxruntime_keeps_the_number_of_parameters(
    tmp_path: Path,
) -> None:
    quantization = pytest.importorskip("onnxruntime.quantization", reason="onnxruntime")
    import onnx_models as om

    source, target = tmp_path / "float.onnx", tmp_path / "dynamic.onnx"
    source.write_bytes(om.small_cnn().SerializeToString())
    quantization.quantize_dynamic(source, target, per_channel=True)
    before, after = (layer_costs(graph.read(path)) for path in (source, target))
    assert "DynamicQuantizeLinear" in {cost.kind for cost in after}
    assert (macs(after), parameters(after)) == (macs(before), parameters(before))
