"""``clean``: what no runtime reads is left out."""

from __future__ import annotations

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes import _clean_onnx, _clean_tflite
from pytest_edgebudget.passes._checks import all_of, interface
from pytest_edgebudget.passes._same import check_same
from pytest_edgebudget.passes.base import Job, Pass
from pytest_edgebudget.types import Step


def apply(job: Job) -> None:
    """
    Leave out what no runtime reads: a smaller file, the same answers to the bit.

    Needs no data. In .tflite: tensors and buffers that nothing uses, buffers that
    are stored twice, ranges that the converter noted beside the scales, the names of
    constants (those of layers stay). In .onnx: what onnxslim finds, where it is
    installed (`pip install onnxslim`), unused initializers, documentation, inferred
    shapes and long names of inner values (nodes, inputs and outputs keep theirs). The
    result is run beside the model on noise and on calibration samples, where there are
    any; one bit of difference in an output, and it is refused. Small integer models
    lose a tenth to a fifth of their bytes; put it last: `int8+clean`.
    """
    if job.model.suffix == ".onnx":
        _clean_onnx.clean(job)
    else:
        _clean_tflite.clean(job)
    check_same(job)


def check(before: Graph, after: Graph, step: Step) -> str:
    """Fewer bytes, no op more, inputs and outputs as before."""
    ops = len(after.main.ops) > len(before.main.ops)
    return all_of(
        "there was nothing to leave out" if after.size >= before.size else "",
        "there are more ops than before" if ops else "",
        interface(before, after),
    )


PASS = Pass(
    name="clean",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx"}),
    libraries=("ai-edge-litert", "onnx", "onnxruntime", "onnxslim", "numpy"),
)
