"""What the passes on `.onnx` share: a model ready for onnxruntime's quantizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_edgebudget import graph
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.passes._calibration import Calibration, Input, samples
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes.base import Job

LIBRARIES = ("onnx", "onnxruntime", "numpy")
PER_CHANNEL_OPSET = 13
"""QuantizeLinear and DequantizeLinear know an axis from opset 13 on."""


def read(path: Path, purpose: str, opset: int = 0) -> Any:
    """
    Read a ``ModelProto``, brought to *opset* at least.

    Initializers that are listed as inputs, too (before IR version 4 they all
    are), become constants: otherwise nothing may rely on their values.

    Raises:
        BuildError: the model cannot be brought to that opset.
    """
    onnx = load("onnx", purpose)
    model = onnx.load(str(path))
    model = _upgraded(onnx, model, opset)
    constant = {item.name for item in model.graph.initializer}
    inputs = [item for item in model.graph.input if item.name not in constant]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)
    return model


def _upgraded(onnx: Any, model: Any, opset: int) -> Any:
    current = next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
    if current >= opset:
        return model
    from onnx import version_converter

    try:
        return version_converter.convert_version(model, opset)
    except Exception as error:
        raise BuildError(
            f"the model has opset {current} and cannot be brought to {opset}: {error}",
            "export it anew with a later opset",
        ) from None


def prepared(job: Job, purpose: str, opset: int = PER_CHANNEL_OPSET) -> Path:
    """
    Write ``job.model`` with constants folded and batch normalization fused, beside ``job.out``.

    onnxruntime does both when it loads a model: what is quantized is the model
    that it would run. (Its own quant_pre_process does the same, but loses the
    tensors of a model that it did not write itself.)
    """
    ort = load("onnxruntime", purpose)
    onnx = load("onnx", purpose)
    model = read(job.model, purpose, opset)
    path = job.out.with_suffix(".prepared.onnx")
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    ort.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    finished = onnx.shape_inference.infer_shapes(onnx.load(str(path)))
    _flatten_biases(finished)
    onnx.save(finished, str(path))
    return path


def refuse_control_flow(job: Job) -> None:
    """
    Refuse a model with loops or branches.

    onnxruntime's quantizer and float16 converter lose the order of nodes whose
    subgraphs read values from outside.

    Raises:
        BuildError: there is a Loop, If or Scan.
    """
    kinds = [op.kind for op in graph.read(job.model).ops if op.kind in CONTROL_FLOW]
    if kinds:
        raise BuildError(
            f"{job.step} cannot change an .onnx model with {kinds[0]}",
            "unroll the recurrent layer (Keras: unroll=True), or gate the .tflite",
        )


CONTROL_FLOW = ("Loop", "If", "Scan")


def finish(job: Job, model: Any) -> None:
    """
    Check *model* and save it as ``job.out``, without the shapes that any runtime infers.

    Raises:
        BuildError: it is not valid ONNX.
    """
    onnx = load("onnx", f"the pass {job.step.name}")
    del model.graph.value_info[:]
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        line = str(error).strip().splitlines()[0]
        raise BuildError(
            f"{job.step} made an invalid graph: {line}", "try another recipe"
        ) from None
    onnx.save(model, str(job.out))


def _flatten_biases(model: Any) -> None:
    """A Gemm's bias of shape (1, n) means the same as (n,); the quantizer wants the latter."""
    constants = {item.name: item for item in model.graph.initializer}
    for node in model.graph.node:
        bias = constants.get(node.input[2]) if node.op_type == "Gemm" and node.input[2:] else None
        if bias is not None and len(bias.dims) == 2 and bias.dims[0] == 1:
            del bias.dims[0]


def calibration(job: Job, model: Path, how: Calibration) -> Any:
    """A ``CalibrationDataReader`` of the calibration samples."""
    from onnxruntime.quantization import CalibrationDataReader

    rows = samples(job.calibration, inputs_of(model), how.samples)

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> Any:
            return next(rows, None)

    return Reader()


def activations(job: Job, model: Path, how: Calibration) -> Iterator[Mapping[str, Array]]:
    """What each tensor of floats that is no constant holds, sample by sample."""
    import onnx
    import onnxruntime

    whole = onnx.load(str(model))
    known = {item.name: item for item in (*whole.graph.input, *whole.graph.output)}
    made = {name for node in whole.graph.node for name in node.output}
    for item in whole.graph.value_info:  # it tells of tensors that are fused away, too
        if item.name in made and known.setdefault(item.name, item) is item:
            whole.graph.output.append(item)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        whole.SerializeToString(), options, ["CPUExecutionProvider"]
    )
    names = [item.name for item in session.get_outputs()]
    for row in samples(job.calibration, inputs_of(model), how.samples):
        yield {**row, **dict(zip(names, session.run(names, row), strict=True))}


def inputs_of(model: Path) -> list[Input]:
    """The inputs of an `.onnx`, as onnxruntime sees them."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
    return [
        Input((item.name,), _shape(item.shape), np.dtype(NUMPY_TYPES[item.type]))
        for item in session.get_inputs()
    ]


def _shape(shape: list[Any]) -> tuple[int, ...]:
    return tuple(size if isinstance(size, int) else -1 for size in shape)


NUMPY_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
    "tensor(uint16)": "uint16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}
