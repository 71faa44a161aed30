"""A `.tflite` without what no runtime reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes._normalise import packed
from pytest_edgebudget.passes.base import Job

NOTES = (b"min_runtime_version", b"CONVERSION_METADATA")
"""Notes of the converter about itself; what others mean is their writer's affair."""

DEQUANTIZE = 6
"""Its number among the builtin operators of schema.fbs."""


def clean(job: Job) -> None:
    """
    Write ``job.model`` to ``job.out`` without what no runtime reads.

    Raises BuildError where buffers lie outside the flatbuffer: offsets into the
    file would no longer hold.
    """
    tools = load("ai_edge_litert.tools.flatbuffer_utils", f"the pass {job.step.name}")
    _clean(tools, job.model, job.out, job)


def _clean(tools: Any, path: Path, out: Path, job: Job) -> None:
    model = tools.read_model(str(path))
    if any(buffer.offset > 1 for buffer in model.buffers):
        raise BuildError(f"{job.step} does not know models with buffers behind the flatbuffer")
    _drop_notes(model)
    for graph in model.subgraphs:
        _drop_tensors(model, graph)
        for tensor in graph.tensors:
            _drop_ranges(tensor)
        _drop_names(model, graph)
    _drop_codes(model)
    _share_buffers(model)
    out.write_bytes(packed(model))


def _drop_notes(model: Any) -> None:
    kept = [note for note in model.metadata or () if note.name not in NOTES]
    model.metadata = kept or None
    model.metadataBuffer = None  # an old, unused table


def _drop_tensors(model: Any, graph: Any) -> None:
    """Tensors that no op, no end and no signature names."""
    used = {int(i) for op in graph.operators or () for i in _of_op(op)}
    used |= {int(i) for ends in (graph.inputs, graph.outputs) for i in _list(ends)}
    used |= {entry.tensorIndex for entry in _signature_entries(model, graph)}
    kept = [index for index in range(len(graph.tensors)) if index in used]
    new = {old: at for at, old in enumerate(kept)} | {-1: -1}
    graph.tensors = [graph.tensors[index] for index in kept]
    _renumber(model, graph, new.__getitem__)


def _of_op(op: Any) -> list[int]:
    return [*_list(op.inputs), *_list(op.outputs), *_list(op.intermediates)]


def _list(values: Any) -> list[int]:
    return [] if values is None else [int(value) for value in values]


def _renumber(model: Any, graph: Any, new: Callable[[int], int]) -> None:
    for op in graph.operators or ():
        for field in ("inputs", "outputs", "intermediates"):
            if getattr(op, field) is not None:
                setattr(op, field, [new(index) for index in _list(getattr(op, field))])
    graph.inputs = [new(index) for index in _list(graph.inputs)]
    graph.outputs = [new(index) for index in _list(graph.outputs)]
    for entry in _signature_entries(model, graph):
        entry.tensorIndex = new(entry.tensorIndex)


def _signature_entries(model: Any, graph: Any) -> Iterable[Any]:
    at = next(i for i, each in enumerate(model.subgraphs) if each is graph)
    for signature in model.signatureDefs or ():
        if signature.subgraphIndex == at:
            yield from (*(signature.inputs or ()), *(signature.outputs or ()))


def _drop_ranges(tensor: Any) -> None:
    """Ranges beside the scales, and the shape with unknowns where there are none."""
    quantization = tensor.quantization
    if quantization is not None:
        quantization.min = quantization.max = None
        scaled = quantization.scale is not None and len(quantization.scale)
        if not scaled and quantization.details is None:
            tensor.quantization = None
    if tensor.shapeSignature is not None and list(tensor.shapeSignature) == _list(tensor.shape):
        tensor.shapeSignature = None


def _drop_names(model: Any, graph: Any) -> None:
    """Constants are nameless, dequantized or not: layers are called by what they put out."""
    nameless = {
        index
        for index, tensor in enumerate(graph.tensors)
        if model.buffers[tensor.buffer].data is not None and not tensor.isVariable
    }
    for op in graph.operators or ():
        kind = model.operatorCodes[op.opcodeIndex].builtinCode
        if kind == DEQUANTIZE and nameless.issuperset(_list(op.inputs)):
            nameless.update(_list(op.outputs))
    for index in nameless - set(_list(graph.outputs)):
        graph.tensors[index].name = None


def _drop_codes(model: Any) -> None:
    used = sorted({op.opcodeIndex for graph in model.subgraphs for op in graph.operators or ()})
    new = {old: at for at, old in enumerate(used)}
    model.operatorCodes = [model.operatorCodes[index] for index in used]
    for graph in model.subgraphs:
        for op in graph.operators or ():
            op.opcodeIndex = new[op.opcodeIndex]


def _share_buffers(model: Any) -> None:
    """Each content once; 0 is the empty one."""
    old, kept = model.buffers, [model.buffers[0]]
    known = {b"": 0}

    def place(index: int) -> int:
        data = old[index].data
        content = b"" if data is None else bytes(data)
        if content not in known:
            known[content] = len(kept)
            kept.append(old[index])
        return known[content]

    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer = place(tensor.buffer)
    for note in model.metadata or ():
        note.buffer = place(note.buffer)
    model.buffers = kept
