"""
Write what runtimes say they know, in `pytest_edgebudget/lint/runtimes`.

    python tools/probe_runtimes.py            rewrites the files
    python tools/probe_runtimes.py --check    exit code 1 when one is stale

`known.py` has the ops, versions and types, `known_attributes.py` the attributes of
the standard ops of ONNX. Every fact is an answer of the runtime itself. A
TensorFlow Lite interpreter is given the smallest file with one operator code,
for each operator and version, and refuses it ("Didn't find op for builtin
opcode ...") or not; TensorFlow Lite Micro needs the op in a graph. onnxruntime
loads a Relu of each opset and IR version, and lists its schemas and kernels (an
op without a kernel runs where ONNX has a function for it, which onnxruntime
inlines). A runtime that is not installed keeps what the files say of it. Each is
asked in a process of its own, TensorFlow Lite Micro in one a question, since it
may crash.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from probe_files import render, render_attributes
from probe_onnx import onnxruntime

FOLDER = Path(__file__).parent.parent / "pytest_edgebudget" / "lint" / "runtimes"
TARGET, ATTRIBUTES = FOLDER / "known.py", FOLDER / "known_attributes.py"

RUNTIMES = {
    "litert": ("ai-edge-litert", "ai_edge_litert.interpreter"),
    "tflite-runtime": ("tflite-runtime", "tflite_runtime.interpreter"),
    "tflm": ("tflite-micro", "tflite_micro.python.tflite_micro.runtime"),
    "onnxruntime": ("onnxruntime", "onnxruntime"),
}
"""Name, distribution, module."""

NEWEST_VERSION = 20  # no operator has so many versions

CUSTOM = """
    Angle AudioSpectrogram AvgPool3D AvgPool3DGrad Bucketize CIRCULAR_BUFFER Complex
    Convolution2DTransposeBias CumSum HashtableImport IRFFT2D MaxPool3D MaxPool3DGrad
    MaxPoolingWithArgmax2D MaxUnpooling2D Mfcc Multinomial NumericVerify RandomStandardNormal
    RandomUniform Roll SignalDelay SignalEnergy SignalFftAutoScale SignalFilterBank
    SignalFilterBankLog SignalFilterBankSpectralSubtraction SignalFilterBankSquareRoot
    SignalFramer SignalIrfft SignalOverlapAdd SignalPCAN SignalRfft SignalStacker SignalWindow
    TFLM_DECODE TFLite_Detection_PostProcess Table TransposeConv2DBias edgetpu-custom-op ethos-u
    odml.rms_norm odml.scaled_dot_product_attention odml.update_external_kv_cache
""".split()  # noqa: SIM905
"""The custom ops that are asked for: those in TensorFlow's, LiteRT's and TFLM's sources."""

NOT_OPS = {"CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES"}


# --- models of one op ------------------------------------------------------------


def schema() -> Any:
    """LiteRT's object API."""
    return importlib.import_module("ai_edge_litert.schema_py_generated")


def names(enum: type) -> list[str]:
    """The members of one of its enums."""
    return [name for name in vars(enum) if not name.startswith("_") and name not in NOT_OPS]


def one_op(name: str, version: int = 1, custom: str | None = None, *, used: bool = True) -> bytes:
    """A model whose only operator code is *name*; *used*: by an op of one input and output."""
    s = schema()
    code, op = s.OperatorCodeT(), s.OperatorT()
    code.builtinCode = getattr(s.BuiltinOperator, name)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version, code.customCode = version, custom
    op.opcodeIndex, op.inputs, op.outputs = 0, [0], [1]
    if name == "VAR_HANDLE":  # TFLM's Python package counts variables by their names
        op.builtinOptionsType = s.BuiltinOptions.VarHandleOptions
        op.builtinOptions = s.VarHandleOptionsT()
    return model([code], [op] if used else [], "FLOAT32")


def model(codes: list[Any], ops: list[Any], dtype: str) -> bytes:
    """A file with tensors x and y of *dtype*."""
    import flatbuffers

    s = schema()
    graph, whole = s.SubGraphT(), s.ModelT()
    graph.tensors = [tensor(s, "x", dtype), tensor(s, "y", dtype)]
    graph.operators, graph.inputs, graph.outputs = ops, [0], [1] if ops else [0]
    whole.version, whole.operatorCodes, whole.subgraphs = 3, codes, [graph]
    whole.buffers = [s.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(whole.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def tensor(s: Any, name: str, dtype: str) -> Any:
    """A tensor of one element."""
    value = s.TensorT()
    value.name, value.shape, value.buffer, value.hasRank = name, [1], 0, True
    value.type = getattr(s.TensorType, dtype)
    return value


# --- TensorFlow Lite -------------------------------------------------------------


def refusal(load: Callable[[], object]) -> str:
    """What *load* says when it refuses; empty when it does not."""
    try:
        load()
    except (RuntimeError, ValueError) as error:
        return str(error)
    return ""


def tflite(module: str) -> dict[str, Any]:
    """What a TensorFlow Lite interpreter knows."""
    make = importlib.import_module(module).Interpreter

    def build(content: bytes) -> str:
        return refusal(lambda: make(model_content=content))

    def prepare(content: bytes) -> str:
        return apart(lambda: make(model_content=content).allocate_tensors())

    s = schema()
    ops = {name: known_versions(name, build) for name in names(s.BuiltinOperator)}
    return {
        "ops": {name: [known[0], known[-1]] for name, known in sorted(ops.items()) if known},
        "no_types": sorted(t for t in names(s.TensorType) if build(model([], [], t))),
        "custom": [name for name in CUSTOM if resolved(prepare(one_op("CUSTOM", 1, name)))],
    }


def known_versions(name: str, build: Callable[[bytes], str]) -> list[int]:
    """The versions of an op that *build* does not refuse."""
    tried = range(1, NEWEST_VERSION + 1)
    known = [version for version in tried if not build(one_op(name, version, used=False))]
    assert not known or known == list(range(known[0], known[-1] + 1)), (name, known)
    return known


def resolved(said: str) -> bool:
    """Whether somebody takes the custom op; XNNPACK says what it misses in ours."""
    return "unresolved custom op" not in said or "unexpected number" in said


def apart(load: Callable[[], object]) -> str:
    """What *load* says on standard error, in a process of its own."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.dup2(write, 2)
            os.write(write, refusal(load).encode())
        finally:  # whatever it was, this copy of us ends here
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answers:
        said = answers.read().decode(errors="replace")
    os.waitpid(child, 0)
    return said


# --- TensorFlow Lite Micro -------------------------------------------------------


def tflm(module: str) -> dict[str, Any]:
    """What TensorFlow Lite Micro knows, with the ops of its Python package."""
    make = importlib.import_module(module).Interpreter.from_bytes

    def prepare(content: bytes) -> str:
        return apart(lambda: make(content, arena_size=100_000))

    s = schema()
    reshape = s.OperatorCodeT()
    reshape.builtinCode = reshape.deprecatedBuiltinCode = s.BuiltinOperator.RESHAPE
    op = s.OperatorT()
    op.opcodeIndex, op.inputs, op.outputs = 0, [0], [1]
    known = [
        name
        for name in sorted(names(s.BuiltinOperator))
        if "Didn't find op" not in prepare(one_op(name))
    ]
    # It has one kernel an op and does not look at versions.
    assert "Didn't find op" not in prepare(one_op("ADD", NEWEST_VERSION))
    return {
        "ops": {name: [1, 0] for name in known},
        "no_types": sorted(
            t
            for t in names(s.TensorType)
            if "flatbuffer data" in prepare(model([reshape], [op], t))
        ),
        "custom": [
            name
            for name in CUSTOM
            if "Failed to get registration" not in prepare(one_op("CUSTOM", 1, name))
        ],
    }


# --- the files ------------------------------------------------------------------

PROBES = {"litert": tflite, "tflite-runtime": tflite, "tflm": tflm, "onnxruntime": onnxruntime}


def ask(name: str) -> dict[str, Any] | None:
    """What the runtime answers, and its version; None when it is not installed."""
    distribution, module = RUNTIMES[name]
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    command = [sys.executable, __file__, "--ask", name]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} cannot be asked ({module}):\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"version": version, **answer}


def kept(name: str) -> dict[str, Any]:
    """What the file says of a runtime that is not installed."""
    from pytest_edgebudget.lint.runtimes import known, known_attributes

    if name == "onnxruntime":
        it = known.ONNX[name]
        return {
            "version": it.version,
            "opsets": [it.first_opset, it.last_opset],
            "ir_version": it.ir_version,
            "schemas": sorted(it.schemas),
            "first": it.first,
            "last": it.last,
            "missing": sorted(it.missing),
            "attributes": known_attributes.ATTRIBUTES,
        }
    old = known.TFLITE[name]
    ops = {kind: [old.first.get(kind, 1), last] for kind, last in sorted(old.ops.items())}
    types = sorted(item.upper() for item in old.no_types)
    return {"version": old.version, "ops": ops, "no_types": types, "custom": sorted(old.custom)}


def main() -> int:
    """Write the file, or compare it; returns the exit code."""
    if "--ask" in sys.argv:
        name = sys.argv[-1]
        print(json.dumps(PROBES[name](RUNTIMES[name][1])))
        return 0
    answers = {name: ask(name) or kept(name) for name in RUNTIMES}
    texts = {
        TARGET: render(list(RUNTIMES), answers),
        ATTRIBUTES: render_attributes(answers["onnxruntime"]["attributes"]),
    }
    for path, text in texts.items():
        if "--check" in sys.argv and path.read_text() != text:
            print(f"{path} is stale: run python tools/probe_runtimes.py")
            return 1
        path.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
