"""
What other tools do with models: Vela's and LiteRT's placements, TensorFlow's GPU check.

``python others.py TOOL OUT.json MODEL ...`` runs one tool over the models, in a process
of its own, and writes what it decided for each: the outputs of the ops (joined by a
comma) that it left on the CPU, and the number of partitions.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def vela(accelerator: str, model: Path) -> dict[str, Any]:
    """What is left of the model in Vela's output: CPU ops, and Ethos-U custom ops."""
    from ethosu.vela import vela as compiler

    from pytest_edgebudget import graph

    with tempfile.TemporaryDirectory() as folder:
        arguments = [str(model), "--accelerator-config", accelerator, "--output-dir", folder]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            compiler.main(arguments)
        read = graph.read(next(Path(folder).glob("*.tflite")))
        left = [op for op in read.ops if op.kind != "ethos-u"]
        names = [",".join(read.tensors[i].name for i in op.outputs) for op in left]
        kinds = [op.kind for op in left]
        return {"cpu": names, "kinds": kinds, "partitions": len(read.ops) - len(left)}


def xnnpack(model: Path) -> dict[str, Any]:
    """Which nodes of the plan LiteRT's default delegate took."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model))
    interpreter.allocate_tensors()
    ops = interpreter._get_ops_details()
    delegates = [op for op in ops if op["op_name"] == "DELEGATE"]
    inside = _inside([op for op in ops if op["op_name"] != "DELEGATE"], delegates)
    return {
        "cpu": [i for i, taken in enumerate(inside) if not taken],
        "partitions": len(delegates),
    }


def _inside(ops: list[Any], delegates: list[Any]) -> list[bool]:
    """Walk back from each delegate's outputs to its inputs: those ops are its own."""
    makers = {int(t): i for i, op in enumerate(ops) for t in op["outputs"]}
    taken = [False] * len(ops)
    for delegate in delegates:
        ends = {int(t) for t in delegate["inputs"]}
        todo = [int(t) for t in delegate["outputs"]]
        while todo:
            tensor = todo.pop()
            maker = makers.get(tensor)
            if maker is None or tensor in ends or taken[maker]:
                continue
            taken[maker] = True
            todo += [int(t) for t in ops[maker]["inputs"]]
    return taken


_WARNING = re.compile(r"GPU COMPATIBILITY WARNING: (.*)")
_OP = re.compile(r"^\s+Op#(\d+) (\w+)\(")


def gpu(model: Path) -> dict[str, Any]:
    """Ops of which TensorFlow's analyzer says that the GPU delegate does not take them."""
    import tensorflow as tf

    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        tf.lite.experimental.Analyzer.analyze(model_path=str(model), gpu_compatibility=True)
    refused, number, reasons = [], -1, []
    for line in text.getvalue().splitlines():
        if match := _OP.match(line):
            number = int(match[1])
        if (match := _WARNING.search(line)) and "Subgraph" not in match[1]:
            refused.append(number)
            reasons.append(match[1])
    return {"cpu": refused, "reasons": reasons}


def main(tool: str, out: Path, models: Iterable[Path]) -> None:
    found = {}
    for model in models:
        name = f"{model.parent.name}/{model.name}"
        try:
            if tool.startswith("ethos"):
                found[name] = vela(tool, model)
            else:
                found[name] = {"xnnpack": xnnpack, "gpu": gpu}[tool](model)
        except (Exception, SystemExit) as error:
            found[name] = {"error": str(error)[:200]}
    out.write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
