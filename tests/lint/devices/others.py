"""
What other tools do with models: Vela's and LiteRT's placements, TFLite Micro's operators.

``python others.py TOOL OUT.json MODEL ...`` runs one tool over the models, in a process
of its own, and writes what it decided for each: "cpu" are the ops (indices, or kinds)
that it left on the CPU, "partitions" how many pieces it took.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
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
        left = [op.kind for op in read.ops if op.kind != "ethos-u"]
        return {"cpu": sorted(left), "partitions": len(read.ops) - len(left)}


def xnnpack(model: Path) -> dict[str, Any]:
    """Which nodes LiteRT's default delegate took."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model))
    interpreter.allocate_tensors()
    ops = interpreter._get_ops_details()
    delegates = [op for op in ops if op["op_name"] == "DELEGATE"]
    inside = _inside([op for op in ops if op["op_name"] != "DELEGATE"], delegates)
    left = [number for number, taken in enumerate(inside) if not taken]
    return {"cpu": left, "partitions": len(delegates)}


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


def tflm(model: Path) -> dict[str, Any]:
    """Whether TFLite Micro knows the model's operator: in a fork, since some then crash."""
    from tflite_micro.python.tflite_micro import runtime

    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 2)
            try:
                runtime.Interpreter.from_file(str(model), arena_size=100_000)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        said.seek(0)
        text = said.read()
    return {"known": b"Didn't find op" not in text and b"registration from op code" not in text}


def main(tool: str, out: Path, models: Iterable[Path]) -> None:
    found = {}
    for model in models:
        try:
            if tool.startswith("ethos"):
                found[str(model)] = vela(tool, model)
            else:
                found[str(model)] = {"xnnpack": xnnpack, "tflm": tflm}[tool](model)
        except (Exception, SystemExit) as error:
            found[str(model)] = {"error": str(error)[:200]}
    out.write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
