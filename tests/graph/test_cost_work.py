"""MACs by kind, other operations and bytes moved, against Vela, onnx-tool and onnxruntime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.graph.cost import LayerCost, Totals, layer_costs, totals


def costs_of(folder: Path, content: bytes, suffix: str = ".tflite") -> tuple[LayerCost, ...]:
    path = folder / f"model{suffix}"
    path.write_bytes(content)
    return layer_costs(graph.read(path))


# --- second tools ---------------------------------------------------------------------------

# ethos-u-vela 5.2.0: vela --accelerator-config ethos-u55-128 --verbose-performance MODEL,
# column "MAC Count" of the rows Conv2D, DepthwiseConv2D and FullyConnected.
VELA = {
    "kws_dscnn/models/kws_int8.tflite": [320000, *[72000, 512000] * 4, 768],
    "ic_resnet8/models/resnet8_int8.tflite": [
        *(442368, 2359296, 2359296, 1179648, 2359296, 131072, 1179648, 2359296, 131072, 640)
    ],
    "ic_resnet8/models/resnet8_large_int8.tflite": [
        *(1105920, 14745600, 14745600, 7372800, 14745600, 819200, 7372800, 14745600, 819200, 1600)
    ],
    "ad_autoencoder/models/ad01_int8.tflite": [
        *(81920, 16384, 16384, 16384, 1024, 1024, 16384, 16384, 16384, 81920)
    ],
}


@pytest.mark.reference
@pytest.mark.parametrize("name", VELA)
def test_macs_of_each_layer_are_the_ones_that_vela_counts(
    reference_models: Path, name: str
) -> None:
    costs = layer_costs(graph.read(reference_models / name))
    assert [cost.macs for cost in costs if cost.macs] == VELA[name]


# onnx-tool 1.0.1: Model(path), shape_infer(), profile(), print_node_map(): Forward_MACs, where
# a bias, an activation and a comparison of pooling count like a product.
ONNX_TOOL = {
    "kws_dscnn/models/kws_alibaba_float.onnx": 892_236,
    "mnist_cnn_onnx/models/mnist.onnx": 813_962,
}


@pytest.mark.reference
@pytest.mark.parametrize("name", ONNX_TOOL)
def test_products_and_other_operations_are_together_what_onnx_tool_counts(
    reference_models: Path, name: str
) -> None:
    found = totals(layer_costs(graph.read(reference_models / name)))
    assert (found.macs + found.operations, found.uncounted) == (ONNX_TOOL[name], 0)


def profile_of(path: Path, folder: Path) -> dict[str, tuple[int, int]]:
    """Bytes read and written by node, from onnxruntime's own profile of the file as it is."""
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    np = pytest.importorskip("numpy")
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    options.enable_profiling, options.log_severity_level = True, 3
    options.profile_file_prefix = str(folder / "profile")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feeds = {
        item.name: np.zeros([n if isinstance(n, int) else 1 for n in item.shape], "float32")
        for item in session.get_inputs()
    }
    session.run(None, feeds)
    events = json.loads(Path(session.end_profiling()).read_text())
    kernels = [event for event in events if event["name"].endswith("_kernel_time")]
    return {event["name"].removesuffix("_kernel_time"): moved(event["args"]) for event in kernels}


def moved(args: Any) -> tuple[int, int]:
    return int(args["activation_size"]) + int(args["parameter_size"]), int(args["output_size"])


@pytest.mark.reference
@pytest.mark.parametrize(
    "name",
    [
        "kws_dscnn/models/kws_alibaba_float.onnx",
        "kws_dscnn/models/kws_qdq_int8.onnx",
        "ad_autoencoder/models/ad_alibaba_float.onnx",
        "ic_resnet8/models/ic_alibaba_float.onnx",
        "ic_resnet8/models/resnet8_qdq_int8.onnx",
        "mnist_cnn_onnx/models/mnist.onnx",
    ],
)
def test_bytes_moved_are_what_onnxruntime_profiles(
    reference_models: Path, tmp_path: Path, name: str
) -> None:
    theirs = profile_of(reference_models / name, tmp_path)
    costs = layer_costs(graph.read(reference_models / name))
    # onnxruntime counts a view (Reshape) as a copy, and rewrites constants at each run when
    # it may not optimize: these move nothing here.
    ours = {cost.name: (cost.read, cost.written) for cost in costs if cost.written}
    assert len(ours) >= 10
    assert ours == {node: theirs[node] for node in ours}


# --- kinds, subgraphs, packed types ------------------------------------------------------------


@pytest.mark.reference
def test_the_kinds_of_macs_are_the_same_in_both_formats(reference_models: Path) -> None:
    folder = reference_models / "kws_dscnn" / "models"
    for name in ("kws_int8.tflite", "kws_float32.tflite", "kws_qdq_int8.onnx"):
        found = totals(layer_costs(graph.read(folder / name)))
        assert found.macs_by_kind == {
            "convolution": 2_368_000,
            "depthwise": 288_000,
            "fully_connected": 768,
        }


def test_a_product_with_weights_is_fully_connected_and_one_of_two_activations_is_not(
    tmp_path: Path,
) -> None:
    import onnx_models as om

    nodes = [
        om.helper.make_node("MatMul", ["x", "w"], ["q"], "projection"),
        om.helper.make_node("Transpose", ["x"], ["k"], "keys", perm=[0, 2, 1]),
        om.helper.make_node("MatMul", ["q", "k"], ["y"], "attention"),
    ]
    proto = om.model(
        nodes, [om.value("x", 1, 5, 8)], [om.value("y", 1, 5, 5)], [om.constant("w", 8, 8)]
    )
    projection, _, attention = costs_of(tmp_path, proto.SerializeToString(), ".onnx")
    assert projection.macs_by_kind == {"fully_connected": 5 * 8 * 8}
    assert attention.macs_by_kind == {"matmul": 5 * 5 * 8}


def test_a_grouped_convolution_is_depthwise_only_when_each_filter_sees_one_channel(
    tmp_path: Path,
) -> None:
    import onnx_models as om

    for channels, kind in ((1, "depthwise"), (2, "convolution")):
        node = om.helper.make_node("Conv", ["x", "w"], ["y"], group=4 // channels)
        output = om.helper.make_empty_tensor_value_info("y")
        weights = [om.constant("w", 4, channels, 3, 3)]
        proto = om.model([node], [om.value("x", 1, 4, 8, 8)], [output], weights)
        (conv,) = costs_of(tmp_path, proto.SerializeToString(), ".onnx")
        assert conv.macs_by_kind == {kind: 6 * 6 * 4 * channels * 9}


def test_a_call_does_what_its_subgraph_does_and_the_subgraph_adds_nothing(tmp_path: Path) -> None:
    import tflite_models as tfl

    cnn = tfl.small_cnn()
    options = tfl.schema.CallOptionsT()
    options.subgraph = 1
    tensors = [tfl.tensor("x", [1, 4, 4, 2]), tfl.tensor("y", [1, 5])]
    main = tfl.subgraph(tensors, [tfl.op(3, [0], [1], options)], [0], [1])
    codes = [*cnn.operatorCodes, tfl.code("CALL")]
    calling = tfl.pack(tfl.model(codes, [main, cnn.subgraphs[0]], cnn.buffers))
    assert totals(costs_of(tmp_path, calling)) == totals(costs_of(tmp_path, tfl.pack(cnn)))


def test_the_whole_of_a_model_is_the_sum_of_its_layers(tmp_path: Path) -> None:
    import tflite_models as tfl

    assert totals(costs_of(tmp_path, tfl.pack(tfl.small_cnn()))) == Totals(
        macs=864 + 240,
        macs_by_kind={"convolution": 864, "fully_connected": 240},
        operations=96,
        read=356 + 1152,
        written=192 + 20,
        parameters=297,
        stored={"float32": 1188, "int32": 8},
        uncounted=0,
    )


def test_what_cannot_be_counted_is_left_out_of_the_sum_and_said(tmp_path: Path) -> None:
    import tflite_models as tfl

    value = tfl.small_cnn()
    value.operatorCodes[1] = tfl.code("CUSTOM", custom="AudioMagic")
    value.subgraphs[0].operators[1] = tfl.op(1, [3], [5])
    found = totals(costs_of(tmp_path, tfl.pack(value)))
    assert (found.macs, found.operations, found.uncounted) == (864 + 240, 96, 1)


def test_int4_weights_are_two_to_a_byte(tmp_path: Path) -> None:
    import tflite_models as tfl

    value = tfl.small_cnn()
    value.subgraphs[0].tensors[6].type = tfl.schema.TensorType.INT4
    value.buffers[4] = tfl.buffer(bytes(120))
    dense = costs_of(tmp_path, tfl.pack(value))[2]
    assert (dense.parameters, dense.stored) == (240, {"int4": 120})
    assert dense.read == 4 * 48 + 120


@pytest.mark.parametrize(("dtype", "counts"), [("INT8", True), ("FLOAT32", True), ("INT32", False)])
def test_a_table_of_embeddings_is_learnt_and_only_its_rows_are_read(
    tmp_path: Path, dtype: str, counts: bool
) -> None:
    import tflite_models as tfl

    size = 1 if dtype == "INT8" else 4
    tensors = [
        tfl.tensor("words", [1, 7], "INT32"),
        tfl.tensor("table", [100, 16], dtype, buffer=1),
        tfl.tensor("vectors", [1, 7, 16], dtype),
    ]
    gather = tfl.op(0, [1, 0], [2], tfl.schema.GatherOptionsT())
    buffers = [tfl.buffer(), tfl.buffer(bytes(1600 * size))]
    main = tfl.subgraph(tensors, [gather], [0], [2])
    (cost,) = costs_of(tmp_path, tfl.pack(tfl.model([tfl.code("GATHER")], [main], buffers)))
    assert cost.parameters == (1600 if counts else 0)
    assert cost.weight_bytes == 1600 * size
    assert (cost.read, cost.written) == (7 * 16 * size + 7 * 4, 7 * 16 * size)


def test_lstm_cells_count_their_gates(tmp_path: Path) -> None:
    import onnx_models as om

    # ONNX operator specification, LSTM: three sigmoids, two tanh, three products, one sum and
    # four biases, for each of 6 units, 9 steps and 2 directions.
    weights = [om.constant("w", 2, 24, 5), om.constant("r", 2, 24, 6), om.constant("b", 2, 48)]
    node = om.helper.make_node(
        "LSTM", ["x", "w", "r", "b"], ["y"], hidden_size=6, direction="bidirectional"
    )
    output = om.helper.make_empty_tensor_value_info("y")
    proto = om.model([node], [om.value("x", 9, 1, 5)], [output], weights)
    (lstm,) = costs_of(tmp_path, proto.SerializeToString(), ".onnx")
    assert lstm.operations == 9 * 2 * 6 * 13
    assert set(lstm.macs_by_kind) == {"recurrent"}
