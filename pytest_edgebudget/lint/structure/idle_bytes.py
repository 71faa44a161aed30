"""
Much of the file is nothing that an inference needs.

What it finds
    Names of tensors and ops, metadata, buffers that nothing uses, and what was appended to
    a .tflite (padding; the zip archive in which TensorFlow Lite Support packs label files),
    when together they take more than a tenth of the file and 4 KiB.

Why it hurts
    It takes flash and download like weights do. In small models it is much: names that
    the converter joins (`a;b;c`) take up to 200 bytes each, and there are dozens.

Example
    A keyword spotter of 50 KiB with 9 KiB of names such as
    `StatefulPartitionedCall/functional_1/batch_normalization_3/FusedBatchNormV3;...`.

Instead
    Names: short layer names in the source model, or TensorFlow's
    `tensorflow/lite/tools/strip_strings.py`; .onnx nodes need no names at all. Metadata:
    leave out label files and model cards, and ship them beside the model. An archive
    behind the model: a mobile app may read labels from it; for a microcontroller, unzip
    the labels and cut it off (the message has its size). Unused buffers:
    write the file anew (`flatbuffer_utils.read_model`, `write_model`).
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.ir import Op, Subgraph
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.structure._ops import size

_SHARE, _LEAST = 0.1, 4 * 1024
_SHORT = 4


def check(model: ModelFile) -> Iterator[Finding]:
    """Add up what could be left out."""
    graph = model.graph
    parts = {
        "names": sum(_names(links, graph.format) for links in model.links),
        "metadata": sum(note.size for note in graph.metadata),
        "unused buffers": graph.unused_bytes,
        "bytes behind the model": graph.appended_bytes,
    }
    total = sum(parts.values())
    if total < max(_LEAST, _SHARE * (graph.size + graph.external_size)):
        return
    named = sorted(((count, name) for name, count in parts.items() if count), reverse=True)
    detail = ", ".join(f"{size(count)} of {name}" for count, name in named)
    share = total / (graph.size + graph.external_size)
    yield Finding(f"{share:.0%} of the file is not needed to run it: {detail}", saves=total)


def _names(links: Links, format_: str) -> int:
    """
    Bytes of names that could be left out.

    A .tflite has each tensor's name once. An .onnx has it where the value is made and at
    each use; a short one is needed. The names of its nodes are not.
    """
    sub = links.subgraph
    if format_ == "tflite":
        return sum(len(tensor.name) for tensor in sub.tensors)
    too_long = [max(len(tensor.name) - _SHORT, 0) for tensor in sub.tensors]
    made = [index for op in sub.ops for index in op.outputs if index >= 0]
    used = [index for op in sub.ops for index in op.inputs if index >= 0]
    own = [op.name for op in sub.ops if op.name != _first_name(op, sub)]
    return sum(too_long[index] for index in made + used) + sum(map(len, own))


def _first_name(op: Op, sub: Subgraph) -> str:
    """What the reader calls a node without a name."""
    for index in op.outputs:
        if index >= 0:
            return sub.tensors[index].name
    return ""


RULE = Rule(
    code="EB215",
    name="idle-bytes",
    severity=Severity.NOTE,
    needs=ModelFile,
    check=check,
)
