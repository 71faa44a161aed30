"""The digits classifier of the examples, and what a runtime answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.passes import BUILT_IN
from pytest_edgebudget.passes.base import Job, Pass
from pytest_edgebudget.types import Step

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
PASSES = {
    item.name: item
    for item in BUILT_IN
    if "tflite" in item.formats and not (item.compiles or item.trains)
}


def step_of(name: str) -> Step:
    """A step of that pass with arguments where it needs some."""
    return Step(name, {"prune": (0.3,), "cluster": (32,), "mixed": ("8848",)}.get(name, ()))


@pytest.fixture(autouse=True)
def libraries() -> None:
    for name in ("litert_quantizer", "ai_edge_litert", "onnx", "onnxruntime"):
        pytest.importorskip(name, reason="pip install 'pytest-edgebudget[litert,onnx]'")


@pytest.fixture(scope="session")
def old_runtime() -> None:
    """tflite-runtime, where it can run."""
    pytest.importorskip("tflite_runtime", reason="pip install 'pytest-edgebudget[tflite-runtime]'")
    if int(np.__version__.split(".")[0]) > 1:
        pytest.skip("tflite-runtime needs numpy below 2")


@pytest.fixture(scope="session")
def samples() -> Iterator[dict[str, np.ndarray]]:
    with np.load(DIGITS / "data.npz") as file:
        yield {name: file[name] for name in file.files}


@pytest.fixture(scope="session")
def calibration(samples: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("calibration") / "calibration.npz"
    np.savez(path, x=samples["x_calibration"][:200])
    return path


@pytest.fixture
def run_pass(calibration: Path, tmp_path: Path):
    """Apply a pass to a model; return the result's path."""

    def run(
        chosen: Pass | str,
        model: Path,
        step: Step | None = None,
        name: str = "out",
        data: np.ndarray | None = None,
    ) -> Path:
        item = PASSES[chosen] if isinstance(chosen, str) else chosen
        out = tmp_path / f"{name}{model.suffix}"
        step, file = step or step_of(item.name), calibration
        if data is not None:
            file = tmp_path / f"{name}.npz"
            np.savez(file, x=data)
        item.apply(Job(model=model, out=out, step=step, calibration=file))
        return out

    return run


def outputs(model: Path, inputs: np.ndarray) -> np.ndarray:
    """What the model's runtime answers, sample by sample, in float."""
    return _litert(model, inputs) if model.suffix == ".tflite" else _onnx(model, inputs)


def accuracy(model: Path, inputs: np.ndarray, labels: np.ndarray) -> float:
    answers = outputs(model, inputs)
    return float((answers.reshape(len(labels), -1).argmax(axis=1) == labels).mean())


def _litert(model: Path, inputs: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(model), num_threads=1)
    interpreter.allocate_tensors()
    (read,), (write,) = interpreter.get_input_details(), interpreter.get_output_details()
    answers = []
    for sample in inputs:
        interpreter.set_tensor(read["index"], _quantized(sample.reshape(read["shape"]), read))
        interpreter.invoke()
        answers.append(_real(interpreter.get_tensor(write["index"]), write))
    return np.stack(answers)


def _quantized(sample: np.ndarray, detail: dict) -> np.ndarray:
    scale, zero_point = detail["quantization"]
    if scale and np.issubdtype(detail["dtype"], np.integer) and sample.dtype.kind == "f":
        limits = np.iinfo(detail["dtype"])
        sample = np.clip(np.rint(sample / scale) + zero_point, limits.min, limits.max)
    return sample.astype(detail["dtype"])


def _real(values: np.ndarray, detail: dict) -> np.ndarray:
    scale, zero_point = detail["quantization"]
    return (values.astype(np.float32) - zero_point) * scale if scale else values.copy()


def _onnx(model: Path, inputs: np.ndarray) -> np.ndarray:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
    (item,) = session.get_inputs()
    shape = [size if isinstance(size, int) else 1 for size in item.shape]
    feeds = ({item.name: sample.reshape(shape).astype(np.float32)} for sample in inputs)
    return np.stack([session.run(None, feed)[0] for feed in feeds])
