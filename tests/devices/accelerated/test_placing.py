"""From what a worker told to operators: what is sure, what is not, and what contradicts itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices.accelerated.placing import Account, placement_facts
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.facts import PlacementFacts, Work
from pytest_edgebudget.types import Evidence
from tests.devices.accelerated.help import DIGITS
from tests.devices.edge_tpu.models import MACS, Chain

GPU = "a GPU"
CPU, EP = "CPUExecutionProvider", "CUDAExecutionProvider"


def facts(model: Path, **told: Any) -> PlacementFacts:
    account = Account(
        told={"accelerator": GPU, "idle": "", **told}, evidence=Evidence.MEASURED, tool="t"
    )
    return placement_facts(account, graph.read(model))


@pytest.fixture
def tie(tmp_path: Path) -> Path:
    """One convolution on either side of what the GPU lacks, and a cheap operator more on one."""
    chain = Chain().conv("left").op("ABS", "abs").custom("Filter", "filter")
    return chain.conv("right").conv("far").write(tmp_path / "tie.tflite")


def test_pieces_of_the_same_size_leave_open_which_one_the_gpu_runs(tie: Path) -> None:
    reasons = [["Filter", "Operation is not supported."]]
    found = facts(tie, how="counts", operators=5, on=2, reasons=reasons)
    assert (found.total, found.partitions) == (Work(5, 3 * MACS), 1)
    assert (found.least, found.most) == (Work(3, MACS), Work(3, 2 * MACS))


def test_counts_that_fit_no_piece_tell_nothing(tie: Path) -> None:
    with pytest.raises(CannotTell, match="the GPU runs 4 of 5 operators, and does not say which"):
        facts(tie, how="counts", operators=5, on=4, reasons=[["Filter", "No."]])
    with pytest.raises(CannotTell, match="the runtime tells of 9 operators, the file has 5"):
        facts(tie, how="counts", operators=9, on=9, reasons=[])


def test_a_gpu_that_runs_nothing_has_no_piece(tie: Path) -> None:
    found = facts(tie, how="counts", operators=5, on=0, reasons=[["Filter", "No."]])
    assert (len(found.off), found.partitions, found.least) == (5, 0, None)
    assert found.fallen.macs == 3 * MACS


def test_nodes_of_onnx_runtime_are_found_by_their_names() -> None:
    """The names are those that onnxruntime-webgpu 1.27 gave in its profile."""
    ran = [
        (EP, "Transpose", "Transpose"),
        (EP, "Conv", "Conv__15_token_1"),
        (CPU, "Conv", "Conv__16_token_5"),
        (EP, "MemcpyToHost", "Memcpy"),
        (EP, "MemcpyFromHost", "Memcpy_token_2"),
        (CPU, "Softmax", "digits_1/digit_1/Softmax"),
        (CPU, "QuantizeLinear", "QuantizeLinear_token_79"),
    ]
    found = facts(DIGITS / "digits.onnx", how="nodes", provider=EP, assigned=None, ran=ran)
    assert [(op.kind, op.name) for op in found.off] == [
        ("Conv", "Conv__16"),
        ("Softmax", "digits_1/digit_1/Softmax"),
    ]
    assert found.notes == ("2 copies between the CPU and it in each inference",)
    assert (found.partitions, found.least) == (2, None)
    assert found.off[0].reason == "ONNX Runtime does not give it to a GPU"


def test_a_kernel_that_is_not_in_the_model_leaves_open_what_is_off() -> None:
    ran = [(EP, "Conv", "Conv__15"), (CPU, "FusedMatMul", "made up")]
    found = facts(DIGITS / "digits.onnx", how="nodes", provider=EP, assigned=None, ran=ran)
    assert found.off == ()
    assert (found.least, found.most) == (Work(0, 0), found.total)
    assert found.notes == ("not found in the model: FusedMatMul 'made up'",)


def test_nodes_without_names_are_found_by_their_numbers(tmp_path: Path) -> None:
    """ONNX Runtime calls them by kind and number."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(DIGITS / "digits.onnx")
    for node in model.graph.node:
        node.name = ""
    path = tmp_path / "nameless.onnx"
    onnx.save(model, path)
    kinds = [node.op_type for node in model.graph.node]
    number = kinds.index("Gemm")
    ran = [(EP, "Conv", "Conv_1"), (CPU, "Gemm", f"Gemm_{number}"), (CPU, "Gemm", "Relu_2")]
    found = facts(path, how="nodes", provider=EP, assigned=None, ran=ran)
    assert [op.kind for op in found.off] == ["Gemm"]
    assert found.notes == ("not found in the model: Gemm 'Relu_2'",)


def test_a_provider_that_ran_nothing_is_not_believed() -> None:
    with pytest.raises(CannotTell, match="its profile shows none that ran"):
        facts(
            DIGITS / "digits.onnx",
            how="nodes",
            provider=EP,
            assigned=[(EP, [("Conv", "Conv__15")])],
            ran=[(CPU, "Conv", "Conv__15")],
        )
