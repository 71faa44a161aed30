"""An `.onnx` without what no runtime reads."""

from __future__ import annotations

import importlib.util
import itertools
import string
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes.base import Job

LETTERS = string.ascii_letters + string.digits
FUSIONS = (
    *("FusionConvBN", "FusionConvTransposeBN", "FusionConvAdd", "FusionConvTransposeAdd"),
    *("FusionConvMul", "FusionConvTransposeMul", "FusionGemmMul", "FusionGemmAdd", "FusionPadConv"),
)
"""Of onnxslim: they multiply weights anew, and the last bit may come out otherwise."""


def clean(job: Job) -> None:
    """Write ``job.model`` to ``job.out`` without what no runtime reads."""
    onnx = load("onnx", f"the pass {job.step.name}")
    found = [onnx.load(str(job.model))]
    if importlib.util.find_spec("onnxslim"):
        found.append(_slim(onnx.load(str(job.model)), job))  # longer names may outweigh it
    for model in found:
        _drop_unused(model)
    onnx.save(min(found, key=lambda model: int(model.ByteSize())), str(job.out))


def _slim(model: Any, job: Job) -> Any:
    import onnxslim

    try:
        return onnxslim.slim(model, skip_fusion_patterns=list(FUSIONS), verbose=False)
    except Exception as error:
        line = str(error).strip().splitlines()[0] if str(error).strip() else "no words"
        raise BuildError(
            f"{job.step}: onnxslim failed: {type(error).__name__}: {line}", "leave the pass out"
        ) from None


def _drop_unused(model: Any) -> None:
    """Words about the graph, shapes that can be inferred, constants that nothing reads."""
    graph = model.graph
    graph.doc_string = model.doc_string = ""
    del graph.value_info[:]
    for node in graph.node:
        node.doc_string = ""
    nested = any(attribute.HasField("g") for node in graph.node for attribute in node.attribute)
    if nested:  # the bodies of loops may read any of them
        return
    used = {name for node in graph.node for name in node.input}
    used |= {output.name for output in graph.output}
    kept = [item for item in graph.initializer if item.name in used]
    if len(kept) < len(graph.initializer):
        del graph.initializer[:]
        graph.initializer.extend(kept)
    _shorten(graph)


def _shorten(graph: Any) -> None:
    """Short names for constants, and for what nodes hand on that have a name themselves."""
    ends = {item.name for item in (*graph.input, *graph.output)}
    taken = ends | {name for node in graph.node for name in (*node.input, *node.output)}
    short = (text for number in itertools.count() if (text := _digits(number)) not in taken)
    new = {item.name: next(short) for item in graph.initializer if item.name not in ends}
    for node in graph.node:
        if node.name:
            new |= {name: next(short) for name in node.output if name and name not in ends}
    for item in graph.initializer:
        item.name = new.get(item.name, item.name)
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]


def _digits(number: int) -> str:
    """A number in as few letters as may be."""
    text = ""
    while True:
        number, last = divmod(number, len(LETTERS))
        text = LETTERS[last] + text
        if not number:
            return text
