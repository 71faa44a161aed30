"""
How fast the linter is, as ratios measured in one run.

    python benchmarks/lint.py [MODEL.tflite ...] [--tools FOLDER]

1. Cold: one process that lints (or explains) one model, in turns with other
   tools doing the same job: Vela, mlia, TensorFlow's Analyzer. Wall time and
   peak memory. Tools that are not there are left out, and said to be; --tools
   is the bin folder of another environment that has them.
2. Warm: models a second in one process, memory plan included.
3. Large: a file of half a gigabyte, MB/s and peak memory.
4. Many: two hundred files by one process and by all cores.

Without models: the one of the digits example, in float and int8.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7
DIGITS = ROOT / "examples" / "digits" / "digits.tflite"
BIN = Path(sys.executable).parent

ANALYZER = """
import sys, contextlib, io
import tensorflow as tf
with contextlib.redirect_stdout(io.StringIO()):
    tf.lite.experimental.Analyzer.analyze(model_path=sys.argv[1])
"""

WARM = """
import sys, time
from pathlib import Path
from pytest_edgebudget import graph
from pytest_edgebudget.graph.memory import plan
from pytest_edgebudget.lint.models import ModelJob, lint_model
from pytest_edgebudget.lint.select import Selection
paths = [Path(p) for p in sys.argv[1:]]
graphs = {path: graph.read(path) for path in paths if path.suffix == ".onnx"}
def once(path):
    lint_model(ModelJob(path, (), Selection()))
    if path in graphs:  # rules plan a .tflite themselves
        plan(graphs[path], "onnxruntime")
for path in paths:
    once(path)
for path in paths:
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < 1.0:
        once(path)
        count += 1
    print(path.name, count / (time.perf_counter() - start))
"""


class Tool:
    """A command that inspects one model: its *name*, and the words before the model."""

    def __init__(self, name: str, words: list[str], after: list[str] | None = None) -> None:
        self.name, self.words, self.after = name, words, after or []
        self.codes: tuple[int, ...] = (0,)

    def run(self, model: Path, folder: str) -> tuple[float, float]:
        """Wall seconds and peak MB of one process."""
        command = [*self.words, str(model), *self.after]
        started = time.perf_counter()
        with Path(os.devnull).open("wb") as nothing:
            process = subprocess.Popen(command, cwd=folder, stdout=nothing, stderr=nothing)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in self.codes:
            sys.exit(f"{' '.join(command)} failed: exit code {process.returncode}")
        return time.perf_counter() - started, usage.ru_maxrss / 1024


def linter() -> Tool:
    """Our own; its exit code is 1 when there are findings."""
    lint = Tool("edgebudget lint", [str(BIN / "edgebudget"), "lint"])
    lint.codes = (0, 1)
    return lint


def tools(folder: Path | None) -> list[Tool]:
    """What is there to compare."""
    found = [
        Tool("python -c pass", [sys.executable, "-c", "pass"]),
        linter(),
        Tool("edgebudget explain", [str(BIN / "edgebudget"), "explain"]),
    ]
    path = f"{folder}{os.pathsep}{BIN}" if folder else str(BIN)
    if vela := shutil.which("vela", path=path):
        found.append(Tool("vela", [vela, "--accelerator-config", "ethos-u55-128"]))
    if mlia := shutil.which("mlia", path=path):
        after = ["--target-profile", "ethos-u55-128", "--performance", "--noninteractive"]
        found.append(Tool("mlia check", [mlia, "check"], after))
    has_tensorflow = [sys.executable, "-c", "import importlib.util, sys; "
                      "sys.exit(importlib.util.find_spec('tensorflow') is None)"]  # fmt: skip
    if subprocess.run(has_tensorflow, check=False).returncode == 0:
        found.append(Tool("TensorFlow Analyzer", [sys.executable, "-c", ANALYZER]))
    names = {tool.name for tool in found}
    for missing in {"vela", "mlia check", "TensorFlow Analyzer"} - names:
        print(f"not there, and left out: {missing}")
    return found


def check(models: list[Path]) -> None:
    """Each model is linted once and its output read: exit code 1 is also a traceback's."""
    for model in models:
        command = [str(BIN / "edgebudget"), "lint", str(model)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1) or " checked" not in done.stdout:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def cold(models: list[Path], compared: list[Tool]) -> None:
    """One process a model, tools in turns."""
    for model in models:
        if model.suffix != ".tflite":  # the other tools read nothing else
            compared = [tool for tool in compared if tool.name.startswith(("python", "edgebudget"))]
        found: dict[str, list[tuple[float, float]]] = {tool.name: [] for tool in compared}
        with tempfile.TemporaryDirectory() as folder:
            for index in range(ROUNDS + 1):
                for tool in compared if index % 2 else compared[::-1]:
                    result = tool.run(model, folder)
                    if index:  # the first round warms the disk
                        found[tool.name].append(result)
        base = statistics.median(run[0] for run in found["edgebudget lint"])
        print(f"\n{model.name}, cold, median of {ROUNDS}")
        for name, runs in found.items():
            wall = statistics.median(run[0] for run in runs)
            memory = max(run[1] for run in runs)
            print(f"  {name:22} {wall:7.3f} s {memory:6.0f} MB {wall / base:7.2f} x lint")


def warm(models: list[Path]) -> None:
    """Models a second in one process."""
    done = subprocess.run(
        [sys.executable, "-c", WARM, *map(str, models)], capture_output=True, text=True, check=True
    )
    print("\nwarm, read + plan + all rules that need no device, one core")
    for line in done.stdout.splitlines():
        name, rate = line.rsplit(" ", 1)
        print(f"  {name:32} {float(rate):7.0f} models/s")


def large(folder: Path) -> None:
    """Half a gigabyte of weights in one .tflite and one .onnx."""
    print("\nlarge files, edgebudget lint, cold")
    lint = linter()
    for write in (_large_onnx, _large_tflite):
        # A process inherits the peak memory of the one that starts it: another one writes.
        writer = multiprocessing.get_context("spawn").Process(target=write, args=(folder,))
        writer.start()
        writer.join()
        path = folder / f"{write.__name__.removeprefix('_').replace('_', '.')}"
        lint.run(path, str(folder))
        runs = [lint.run(path, str(folder)) for _ in range(3)]
        wall, memory = min(runs)[0], max(run[1] for run in runs)
        size = path.stat().st_size / 1e6
        print(f"  {path.name} of {size:.0f} MB: {size / wall:.0f} MB/s, peak {memory:.0f} MB")


def _large_onnx(folder: Path) -> Path:
    """A chain of Gemm with 500 MB of weights, written field by field."""
    path = folder / "large.onnx"
    rows, count = 5000, 5

    def varint(n: int) -> bytes:
        out = bytearray()
        while n > 0x7F:
            out.append(n & 0x7F | 0x80)
            n >>= 7
        out.append(n)
        return bytes(out)

    def field(number: int, body: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(body)) + body

    def value(name: str, shape: tuple[int, ...]) -> bytes:
        dims = b"".join(field(1, b"\x08" + varint(n)) for n in shape)
        return field(1, name.encode()) + field(2, field(1, b"\x08\x01" + field(2, dims)))

    noise = os.urandom(1 << 20)
    weights = (noise * (rows * rows * 4 // len(noise) + 1))[: rows * rows * 4]
    nodes = b"".join(
        field(1, field(1, f"h{i}".encode()) + field(1, f"w{i}".encode())
              + field(2, f"h{i + 1}".encode()) + field(4, b"MatMul"))
        for i in range(count)
    )  # fmt: skip
    head = nodes + field(2, b"chain") + field(11, value("h0", (1, rows)))
    tail = field(12, value(f"h{count}", (1, rows)))
    tensors = [
        b"\x08" + varint(rows) + b"\x08" + varint(rows) + b"\x10\x01"
        + field(8, f"w{i}".encode()) + varint(9 << 3 | 2) + varint(len(weights))
        for i in range(count)
    ]  # fmt: skip
    heads = [varint(5 << 3 | 2) + varint(len(t) + len(weights)) + t for t in tensors]
    body = sum(len(each) + len(weights) for each in heads)
    with path.open("wb") as file:
        file.write(b"\x08\x08" + field(8, field(1, b"") + b"\x10\x0d"))
        file.write(varint(7 << 3 | 2) + varint(len(head) + body + len(tail)) + head)
        for number, each in enumerate(heads):
            file.write(each + struct.pack("<f", number) + weights[4:])
        file.write(tail)
    return path


def _large_tflite(folder: Path) -> Path:
    """One fully connected layer with 500 MB of weights, through LiteRT's own schema."""
    import flatbuffers
    import numpy as np
    from ai_edge_litert import schema_py_generated as schema

    rows, columns = 25_000, 5_000
    noise = np.frombuffer(os.urandom(1 << 20), np.uint8)
    weights = np.resize(noise, rows * columns * 4)

    def tensor(name: str, shape: list[int], buffer: int) -> schema.TensorT:
        made = schema.TensorT()
        made.name, made.shape, made.buffer = name.encode(), shape, buffer
        made.type = schema.TensorType.FLOAT32
        return made

    op = schema.OperatorT()
    op.inputs, op.outputs = [0, 1, -1], [2]
    op.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    op.builtinOptions = schema.FullyConnectedOptionsT()
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    main = schema.SubGraphT()
    main.tensors = [tensor("x", [1, columns], 0), tensor("w", [rows, columns], 1),
                    tensor("y", [1, rows], 0)]  # fmt: skip
    main.operators, main.inputs, main.outputs = [op], [0], [2]
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [main]
    model.buffers = [schema.BufferT(), schema.BufferT()]
    model.buffers[1].data = weights
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = folder / "large.tflite"
    path.write_bytes(builder.Output())
    return path


def many(models: list[Path], folder: Path) -> None:
    """Two hundred files: one core against all of them."""
    for number in range(200):
        source = models[number % len(models)]
        shutil.copy(source, folder / f"{number:03}{source.suffix}")
    lint = linter()
    cores = sorted(os.sched_getaffinity(0))
    times = {}
    for name, used in (("all cores", cores), ("one core", cores[:1])):
        os.sched_setaffinity(0, used)
        times[name] = min(lint.run(folder, str(folder))[0] for _ in range(3))
    os.sched_setaffinity(0, cores)
    one, all_ = times["one core"], times["all cores"]
    print(f"\n200 files: {one:.2f} s on one core, {all_:.2f} s on {len(cores)}: {one / all_:.2f} x")


def main() -> None:
    """All four."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("models", nargs="*", type=Path, default=[DIGITS])
    parser.add_argument(
        "--tools", type=Path, help="the bin folder of an environment with vela, mlia"
    )
    options = parser.parse_args()
    models = [path.resolve() for path in options.models]
    check(models)
    cold(models, tools(options.tools))
    warm(models)
    with tempfile.TemporaryDirectory() as name:
        large(Path(name))
    with tempfile.TemporaryDirectory() as name:
        many(models, Path(name))


if __name__ == "__main__":
    main()
