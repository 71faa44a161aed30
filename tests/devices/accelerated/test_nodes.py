"""What falls off a provider is what ONNX Runtime's own log of placements says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from pytest_edgebudget.devices.accelerated import swiftshader
from pytest_edgebudget.facts import Work
from tests.devices.accelerated.help import device, placement
from tests.worker.accelerated import emulated_gpu, python_with

CPU_PART = re.compile(r"placed on \[CPUExecutionProvider\]\. Number of nodes: (\d+)")
NODE = re.compile(r"VerifyEachNodeIsAssignedToAnEp\]   (\w+) \((.+)\)$")
LOG = """
import sys, onnxruntime
options = onnxruntime.SessionOptions()
options.log_severity_level = 0
providers = ["WebGpuExecutionProvider", "CPUExecutionProvider"]
onnxruntime.InferenceSession(sys.argv[1], options, providers=providers, enable_fallback=0)
sys.stderr.flush()
__import__("os")._exit(0)
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Two convolutions, and between them a normalization that WebGPU has no kernel for."""
    onnx = pytest.importorskip("onnx", reason="onnx makes the model")
    import numpy as np

    made, number = onnx.helper, onnx.TensorProto.FLOAT
    values = np.random.default_rng(0).normal(size=(2, 4, 4, 3, 3)).astype(np.float32)
    weights = [onnx.numpy_helper.from_array(value, f"w{n}") for n, value in enumerate(values)]
    nodes = [
        made.make_node("Conv", ["x", "w0"], ["a"], name="first", pads=[1] * 4),
        made.make_node("LRN", ["a"], ["b"], name="middle", size=3),
        made.make_node("Conv", ["b", "w1"], ["y"], name="second", pads=[1] * 4),
    ]
    ends = [made.make_tensor_value_info(name, number, [1, 4, 8, 8]) for name in ("x", "y")]
    graph = made.make_graph(nodes, "graph", ends[:1], ends[1:], weights)
    opsets = [made.make_opsetid("", 17)]
    path = tmp_path / "lrn.onnx"
    onnx.save(made.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def log_of(model: Path) -> list[tuple[str, str]]:
    """(kind, name) of the nodes on the CPU, by ONNX Runtime's log."""
    place = swiftshader.find()
    assert place is not None
    said = subprocess.run(
        [python_with("onnxruntime-webgpu"), "-c", LOG, model],
        env={**os.environ, **swiftshader.environment(place)},
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    start = CPU_PART.search(said)
    assert start is not None, said[-2000:]
    lines = said[start.end() :].splitlines()[1 : int(start[1]) + 1]
    found = [NODE.search(line) for line in lines]
    return [(match[1], match[2]) for match in found if match is not None]


def test_one_node_without_a_kernel_falls_off(model: Path) -> None:
    emulated_gpu()
    python_with("onnxruntime-webgpu")
    found = placement(device("gpu", "emulate-gpu"), model)
    assert [(op.kind, op.name) for op in found.off] == log_of(model) == [("LRN", "middle")]
    assert (found.total, found.partitions) == (Work(3, 2 * 8 * 8 * 4 * 4 * 9), 2)
    assert found.notes == ("2 copies between the CPU and it in each inference",)
