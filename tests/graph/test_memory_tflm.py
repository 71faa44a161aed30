"""The planned arena is the one that TensorFlow Lite Micro prints, to the byte."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tflite_models as fb
from hypothesis import given
from hypothesis import strategies as st
from static_builder import File, options
from static_control import MODELS
from static_models import random_graph
from static_ops import ONE_OP
from tflm_runtime import head_and_tail

from pytest_edgebudget import graph
from pytest_edgebudget.graph.arena import Allocation, Buffer, Plan
from pytest_edgebudget.graph.lifetimes import lifetimes
from pytest_edgebudget.graph.memory import plan
from pytest_edgebudget.graph.memory_tflm import ALIGNMENT
from pytest_edgebudget.graph.memory_tflm_scratch import KNOWN
from pytest_edgebudget.graph.verify import faults

REAL = [
    "ad_autoencoder/models/ad01_float32.tflite",
    "ad_autoencoder/models/ad01_int8.tflite",
    "fsdd_trainable/models/baseline_float32.tflite",
    "ic_resnet8/models/resnet8_float32.tflite",
    "ic_resnet8/models/resnet8_int8.tflite",
    "ic_resnet8/models/resnet8_large_float32.tflite",
    "ic_resnet8/models/resnet8_large_int8.tflite",
    "kws_dscnn/models/kws_float32.tflite",
    "kws_dscnn/models/kws_int8.tflite",
]


def read(folder: Path, content: bytes) -> graph.Graph:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return graph.read(path)


def planned(folder: Path, content: bytes) -> Plan:
    return plan(read(folder, content), "tflm")


def assert_exact(found: Plan, content: bytes) -> None:
    assert (found.size, found.exact, found.reasons) == (head_and_tail(content)[0], True, ())


@pytest.mark.reference
@pytest.mark.parametrize("name", REAL)
def test_real_models_are_planned_to_the_byte(reference_models: Path, name: str) -> None:
    path = reference_models / name
    found = plan(graph.read(path), "tflm")
    assert_exact(found, path.read_bytes())
    assert faults(found, ALIGNMENT) == ()


@pytest.mark.parametrize("name", MODELS)
def test_generated_graphs_are_planned_to_the_byte(tmp_path: Path, name: str) -> None:
    content = MODELS[name]()
    assert_exact(planned(tmp_path, content), content)


@pytest.mark.parametrize("kind", ONE_OP)
def test_ops_alone_are_planned_to_the_byte(tmp_path: Path, kind: str) -> None:
    content = ONE_OP[kind]()
    assert_exact(planned(tmp_path, content), content)


def test_each_op_whose_scratch_is_known_was_compared_with_the_runtime(tmp_path: Path) -> None:
    graphs = [read(tmp_path, make()) for make in (*MODELS.values(), *ONE_OP.values())]
    compared = {op.kind for found in graphs for sub in found.subgraphs for op in sub.ops}
    assert compared == KNOWN


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs_are_planned_to_the_byte(tmp_path: Path, seed: int) -> None:
    content = random_graph(seed)
    assert_exact(planned(tmp_path, content), content)


def test_a_graph_of_hundreds_of_buffers_is_planned_to_the_byte(tmp_path: Path) -> None:
    content = random_graph(1, 700)  # more buffers than are compared one with another
    assert_exact(planned(tmp_path, content), content)


@pytest.mark.slow
def test_models_from_the_converter_are_planned_to_the_byte(tmp_path: Path) -> None:
    script = Path(__file__).with_name("keras_models.py")
    pytest.importorskip("tensorflow")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, script, tmp_path], check=True, env=environment,
                   capture_output=True, timeout=300)  # fmt: skip
    compared = set()
    for path in sorted(tmp_path.glob("*.tflite")):
        found = plan(graph.read(path), "tflm")
        if found.exact:
            assert_exact(found, path.read_bytes())
            compared.add(path.stem)
    assert {"attention", "cnn", "conv1d", "decoder", "dilated", "lstm", "separable"} <= compared


# --- bounds --------------------------------------------------------------------


def test_an_op_that_is_not_known_makes_the_size_a_bound(tmp_path: Path) -> None:
    net = (file := File()).graph("FLOAT32")
    net.outputs = [net.same("GELU", net.input([1, 100]), options("Gelu"))]
    found = planned(tmp_path, file.pack())
    assert (found.size, found.exact) == (800, False)
    assert found.reasons == ("GELU: the scratch memory of this op is not known",)


def test_a_custom_op_makes_the_size_a_bound_even_under_a_known_name(tmp_path: Path) -> None:
    content = fb.pack(
        fb.model(
            [fb.code("CUSTOM", custom="RELU")],
            [
                fb.subgraph(
                    [fb.tensor("x", [4]), fb.tensor("y", [4])], [fb.op(0, [0], [1])], [0], [1]
                )
            ],
            [fb.buffer()],
        )
    )
    assert planned(tmp_path, content).reasons == (
        "RELU: the scratch memory of this op is not known",
    )


def test_integer_weights_under_float_inputs_are_a_bound(tmp_path: Path) -> None:
    net = (file := File()).graph("FLOAT32")
    x = net.input([1, 10])
    net.outputs = [net.op("FULLY_CONNECTED", [x, net.weights([4, 10], "INT8"), -1], [1, 4],
                          options=options("FullyConnected"))]  # fmt: skip
    content = file.pack()
    assert "float inputs with int8 weights" in planned(tmp_path, content).reasons[0]
    with pytest.raises(RuntimeError):
        head_and_tail(content)


def test_compressed_tensors_make_the_size_a_bound(tmp_path: Path) -> None:
    net = (file := File()).graph("FLOAT32")
    net.outputs = [net.relu(net.input([1, 10]))]
    file.note("COMPRESSION_METADATA", b"1234")
    assert not planned(tmp_path, file.pack()).exact


def test_strings_make_the_size_a_bound(tmp_path: Path) -> None:
    net = (file := File()).graph("FLOAT32")
    net.outputs = [net.relu(net.input([1, 10]))]
    net.tensor([3], "STRING")
    assert not planned(tmp_path, file.pack()).exact


def test_other_kernels_than_the_reference_make_the_size_a_bound(tmp_path: Path) -> None:
    found = plan(read(tmp_path, MODELS["residual_int8"]()), "tflm", "arc")
    assert not found.exact
    assert found.size == head_and_tail(MODELS["residual_int8"]())[0]


@pytest.mark.parametrize("numbers", [(), (1, 0), (1, 0, 9, 0), (1, 0, 4, -1, -1, -1)])
def test_an_offline_plan_of_other_tensors_is_not_believed(
    tmp_path: Path, numbers: tuple[int, ...]
) -> None:
    net = (file := File()).graph("FLOAT32")
    net.outputs = [net.relu(net.relu(net.relu(net.input([1, 16]))))]
    file.note("OfflineMemoryAllocation", struct.pack(f"<{len(numbers)}i", *numbers))
    found = planned(tmp_path, file.pack())
    assert found.reasons == ("its offline memory plan is not one of this model's tensors",)


def test_an_unknown_runtime_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='runtime "tvm" has no memory plan'):
        plan(read(tmp_path, random_graph(0)), "tvm")


# --- what a plan says ------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in MODELS if not name.startswith("offline")])
def test_plans_can_be_carried_out(tmp_path: Path, name: str) -> None:
    assert faults(planned(tmp_path, MODELS[name]()), ALIGNMENT) == ()


@given(seed=st.integers(0, 10**6), ops=st.integers(1, 60))
def test_plans_of_random_graphs_can_be_carried_out(
    tmp_path_factory: pytest.TempPathFactory, seed: int, ops: int
) -> None:
    found = planned(tmp_path_factory.mktemp("random"), random_graph(seed, ops))
    assert faults(found, ALIGNMENT) == ()
    assert found.size >= found.lower_bound >= max(found.live)


def test_steps_go_through_the_subgraphs_that_an_op_calls(tmp_path: Path) -> None:
    found = planned(tmp_path, MODELS["loop"]())
    assert [(step.subgraph, step.op) for step in found.steps] == [
        (0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (2, 2), (2, 3), (2, 4), (0, 2), (0, 3),
    ]  # fmt: skip


def test_a_plan_that_cannot_be_carried_out_is_told() -> None:
    a, b, c = (Buffer(name, 40, 0, last) for name, last in (("a", 1), ("b", 0), ("c", 1)))
    places = (Allocation(a, 0), Allocation(b, 24), Allocation(c, 64))
    found = Plan("tflm", size=80, exact=True, allocations=places, live=(120,), lower_bound=120)
    assert faults(found, 16) == (
        "80 bytes, where at least 120 live at once",
        "a and b share bytes while both live",
        "b lies at 24, no multiple of 16",
        "c lies outside the arena",
    )


def test_the_peak_names_what_is_in_use(tmp_path: Path) -> None:
    found = planned(tmp_path, MODELS["transposed_int8"]())
    names = [allocation.buffer.name for allocation in found.at(found.peak)]
    assert names[0].endswith(": scratch")
    assert sum(a.buffer.size for a in found.at(found.peak)) == found.live[found.peak]


# --- speed, and graphs that mean harm -----------------------------------------------


def _chain(ops: int, outputs: bool) -> bytes:
    net = (file := File()).graph("FLOAT32")
    x = net.input([1, 64])
    for _ in range(ops):
        x = net.relu(x)
    net.outputs = list(range(1, ops + 1)) if outputs else [x]
    return file.pack()


def _seconds(found: graph.Graph) -> float:
    start = time.perf_counter()
    plan(found, "tflm")
    return time.perf_counter() - start


def test_a_small_model_is_planned_within_a_millisecond(tmp_path: Path) -> None:
    found = read(tmp_path, MODELS["inverted_residual_int8"]())
    assert min(_seconds(found) for _ in range(20)) < 0.001


def test_two_thousand_ops_are_planned_within_a_second(tmp_path: Path) -> None:
    found = read(tmp_path, random_graph(2, 2_000))
    assert min(_seconds(found) for _ in range(2)) < 1


@pytest.mark.slow
@pytest.mark.parametrize("outputs", [False, True])
def test_fifty_thousand_ops_end(tmp_path: Path, outputs: bool) -> None:
    assert _seconds(read(tmp_path, _chain(50_000, outputs))) < 60  # seconds, on a busy machine


def test_calls_that_multiply_end(tmp_path: Path) -> None:
    file = File()
    depth = 24
    for level in range(depth):  # each calls the next one twice: 2**24 ops
        net = file.graph("FLOAT32", f"level_{level}")
        flag, x = net.input([1], "BOOL"), net.input([1, 8])
        if level == depth - 1:
            net.outputs = [net.relu(x)]
            continue
        both = options("If", thenSubgraphIndex=level + 1, elseSubgraphIndex=level + 1)
        net.outputs = [net.op("IF", [flag, flag, x], [1, 8], options=both)]
    found = planned(tmp_path, file.pack())
    assert found.reasons == ("subgraphs call each other too often to be followed",)
    assert not lifetimes(read(tmp_path, file.pack())).complete
