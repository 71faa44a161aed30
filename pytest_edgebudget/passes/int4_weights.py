"""``int4_weights``: int4 weights, float arithmetic."""

from __future__ import annotations

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes import _litert, _onnx
from pytest_edgebudget.passes._checks import all_of, interface, smaller, weight_dtypes
from pytest_edgebudget.passes._litert_recipes import int4_weights
from pytest_edgebudget.passes._onnx_weights import store_weights
from pytest_edgebudget.passes._ready import ready
from pytest_edgebudget.passes.base import Job, Pass
from pytest_edgebudget.types import Step


def apply(job: Job) -> None:
    """
    Store weights as int4, one scale per output channel: about an eighth of the size.

    Needs no data. They are converted back to float32 when the model is loaded;
    memory and time are the float model's. Costs accuracy, on small networks
    often much: give the budget an accuracy limit. In `.tflite` depthwise and
    transposed convolutions get int8, the least that is supported for them;
    tflite-runtime 2.14 refuses the file.
    """
    ready(job)
    if job.model.suffix == ".tflite":
        _litert.quantize(job, int4_weights)
    else:
        store_weights(job, bits=4)


def check(before: Graph, after: Graph, step: Step) -> str:
    """Weights int4 (int8 in depthwise and transposed convolutions), the file smaller."""
    dtypes = {"DEPTHWISE_CONV_2D": "int8", "TRANSPOSE_CONV": "int8"}
    return all_of(
        weight_dtypes(after, lambda kind: dtypes.get(kind, "int4"), direct=False),
        smaller(before, after),
        interface(before, after),
    )


PASS = Pass(
    name="int4_weights",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx"}),
    libraries=(*_litert.LIBRARIES, *_onnx.LIBRARIES),
)
