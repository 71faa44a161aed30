"""Quantized models of real quantizers, edits of them, and what runtimes say of the results."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_edgebudget.types import Profile

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
CALIBRATION = 100

PI = Profile(name="pi", title="", runtimes=("litert", "onnxruntime"))
OLD = Profile(name="old", title="", runtimes=("tflite-runtime",))
MICRO = Profile(name="micro", title="", runtimes=("tflm",), kernels="cmsis-nn")
CORAL = Profile(name="coral", title="", runtimes=("tflite-runtime",), accelerator="edge-tpu")

Configure = Callable[[Any, Any], None]
"""Sets a recipe on a quantizer, with the module ``qtyping``."""


def data() -> dict[str, Any]:
    with np.load(DIGITS / "data.npz") as file:
        return {name: file[name] for name in file.files}


def by_litert(
    out: Path, configure: Configure, model: Path = DIGITS / "digits.tflite", samples: Any = None
) -> Path:
    """litert-quantizer on a model with one input; *samples* where the recipe calibrates."""
    module = pytest.importorskip("litert_quantizer.quantizer", reason="no litert-quantizer")
    qtyping = pytest.importorskip("litert_quantizer.qtyping")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of LiteRT, that keeping all tensors takes memory
        work = module.Quantizer(str(model))
        configure(work, qtyping)
        learnt = None
        if samples is not None:
            learnt = work.calibrate(_by_signature(model, samples), num_threads=1)
        quiet = {"enable_progress_bar": False, "enable_progress_report": False}
        out.write_bytes(bytes(work.quantize(learnt, **quiet).quantized_model))
    return out


def _by_signature(model: Path, samples: Any) -> dict[str, list[dict[str, Any]]]:
    from ai_edge_litert.interpreter import Interpreter

    reader = Interpreter(model_path=str(model))
    ((key, ends),) = reader.get_signature_list().items()
    runner = reader.get_signature_runner(key)
    (name,) = ends["inputs"]
    shape = runner.get_input_details()[name]["shape"]
    return {key: [{name: sample.reshape(shape).astype(np.float32)} for sample in samples]}


def digits() -> Any:
    """Samples to calibrate the digits model with."""
    return data()["x_calibration"][:CALIBRATION]


def static(
    granularity: str = "CHANNELWISE", ops: str = "ALL_SUPPORTED", bits: int = 8, ends: bool = True
) -> Configure:
    """int8 weights and calibrated activations; without *ends*: float inputs and outputs."""

    def configure(work: Any, qtyping: Any) -> None:
        names = qtyping.TFLOperationName
        work.add_static_config(
            ".*",
            getattr(names, ops),
            activation_num_bits=bits,
            weight_num_bits=8,
            weight_granularity=getattr(qtyping.QuantGranularity, granularity),
        )
        for name in () if ends else (names.INPUT, names.OUTPUT):
            work.update_quantization_recipe(".*", name, algorithm_key="no_quantize")

    return configure


def dynamic(bits: int = 8) -> Configure:
    return lambda work, qtyping: work.add_dynamic_config(
        ".*", qtyping.TFLOperationName.ALL_SUPPORTED, bits
    )


def int8_digits(out: Path) -> Path:
    return by_litert(out, static(), samples=digits())


# --- edits -----------------------------------------------------------------------


def edited(model: Path, out: Path, change: Callable[[Any], None]) -> Path:
    """*model* with a change of its object (a ``ModelT``)."""
    tools = pytest.importorskip("ai_edge_litert.tools.flatbuffer_utils")
    value = tools.read_model(str(model))
    change(value)
    out.write_bytes(bytes(tools.convert_object_to_bytearray(value)))
    return out


def ops_of(model: Any, kind: str) -> list[Any]:
    """The ops of that kind in the main graph."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    number = getattr(schema.BuiltinOperator, kind)
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    return [op for op in model.subgraphs[0].operators if codes[op.opcodeIndex] == number]


def quantization_of(model: Any, op: Any, place: int | None) -> Any:
    """Of an input of *op*, or of its output (*place* None)."""
    index = op.outputs[0] if place is None else op.inputs[place]
    return model.subgraphs[0].tensors[index].quantization


def insert_after(model: Any, op: Any, *steps: tuple[str, Any]) -> None:
    """Put ops between *op* and its consumers: kind, and the tensor that each makes."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    graph = model.subgraphs[0]
    start = made = op.outputs[0]
    inserted = []
    for kind, tensor in steps:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
        code.version = 2 if kind == "DEQUANTIZE" else 1
        new = schema.OperatorT()
        new.opcodeIndex, new.inputs, new.outputs = (
            len(model.operatorCodes),
            [made],
            [len(graph.tensors)],
        )
        model.operatorCodes.append(code)
        graph.tensors.append(tensor)
        made = len(graph.tensors) - 1
        inserted.append(new)
    for user in graph.operators:
        if user is not op:
            user.inputs = [made if index == start else index for index in user.inputs]
    place = graph.operators.index(op) + 1
    graph.operators[place:place] = inserted


def like(
    model: Any, op: Any, type_: str, scale: float | None = None, zero_point: int | None = None
) -> Any:
    """A tensor of the shape that *op* makes; its scale unless another is given; none for floats."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    old = model.subgraphs[0].tensors[op.outputs[0]]
    new, quantization = schema.TensorT(), schema.QuantizationParametersT()
    new.name, new.shape, new.buffer = b"new", list(old.shape), 0
    new.type = getattr(schema.TensorType, type_)
    quantization.scale = [float(old.quantization.scale[0]) if scale is None else scale]
    quantization.zeroPoint = [
        int(old.quantization.zeroPoint[0]) if zero_point is None else zero_point
    ]
    new.quantization = None if type_ == "FLOAT32" else quantization
    return new


# --- runtimes --------------------------------------------------------------------

RUN = """
import importlib, sys
import numpy as np

runtime, path, *arrays = sys.argv[1:]
module = importlib.import_module(f"{runtime}.interpreter")
try:
    interpreter = module.Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    (read,), write = interpreter.get_input_details(), interpreter.get_output_details()[0]
    if not arrays:
        print("loads")
    else:
        with np.load(arrays[0]) as file:
            samples, labels = file["x_test"][:200], file["y_test"][:200]
        scale, zero = read["quantization"]
        right = 0
        for sample, label in zip(samples, labels):
            sample = sample.reshape(read["shape"])
            sample = np.rint(sample / scale + zero) if scale else sample
            interpreter.set_tensor(read["index"], sample.astype(read["dtype"]))
            interpreter.invoke()
            right += interpreter.get_tensor(write["index"]).argmax() == label
        print(right / len(samples))
except (RuntimeError, ValueError) as error:
    print("refused:", str(error).replace(chr(10), " "))
"""


def run(runtime: str, model: Path, *arrays: Path) -> str:
    """ "loads", or an accuracy on the digits; "refused: ..." ; "crashed" when the process died."""
    pytest.importorskip(runtime, reason=f"{runtime} is not installed")
    if runtime == "tflite_runtime" and int(np.__version__.split(".")[0]) > 1:
        pytest.skip("tflite-runtime needs numpy below 2")
    command = [sys.executable, "-c", RUN, runtime, str(model), *map(str, arrays)]
    done = subprocess.run(command, capture_output=True, text=True)
    return "crashed" if done.returncode else done.stdout.strip()


def litert(model: Path, *arrays: Path) -> str:
    """What LiteRT says, with its default delegate."""
    return run("ai_edge_litert", model, *arrays)


def accuracy(model: Path, runtime: str = "ai_edge_litert") -> float:
    """On 200 digits."""
    return float(run(runtime, model, DIGITS / "data.npz"))
