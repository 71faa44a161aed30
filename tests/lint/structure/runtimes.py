"""What the runtimes say of a model: the expected values of the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def unplanned(path: Path) -> list[str]:
    """Tensors without memory after LiteRT has planned: it takes it from the heap later."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    plain = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = litert.Interpreter(str(path), experimental_op_resolver_type=plain)
    interpreter.allocate_tensors()
    return [
        detail["name"] for detail in interpreter.get_tensor_details() if _null(interpreter, detail)
    ]


def _null(interpreter: Any, detail: Any) -> bool:
    try:
        interpreter.tensor(detail["index"])()
    except ValueError:  # "Tensor data is null. Run allocate_tensors() first"
        return True
    return False


def outputs(path: Path, seed: int = 0) -> list[Any]:
    """What a .tflite answers to random numbers."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    np = pytest.importorskip("numpy")
    interpreter = litert.Interpreter(str(path))
    interpreter.allocate_tensors()
    numbers = np.random.default_rng(seed)
    for detail in interpreter.get_input_details():
        sample = numbers.normal(size=detail["shape"]).astype(detail["dtype"])
        interpreter.set_tensor(detail["index"], sample)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def arena(path: Path) -> int:
    """Bytes of the smallest arena in which TensorFlow Lite Micro runs the model, +-16."""
    micro = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    low, high = 0, 1 << 20
    while high - low > 16:
        middle = (low + high) // 2
        try:
            micro.Interpreter.from_file(str(path), arena_size=middle).invoke()
            high = middle
        except RuntimeError:
            low = middle
    return high


def kept_by_onnxruntime(model: Any, tmp_path: Path) -> list[str]:
    """The kinds of the nodes that onnxruntime runs, after all its optimizations."""
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 4
    data = model if isinstance(model, bytes) else model.SerializeToString()
    runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    optimized = onnx.load(options.optimized_model_filepath)
    return [node.op_type for node in optimized.graph.node]
