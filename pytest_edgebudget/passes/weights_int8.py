"""``weights_int8``: int8 weights, float arithmetic."""

from __future__ import annotations

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes import _litert, _onnx
from pytest_edgebudget.passes._checks import (
    all_of,
    float_activations,
    interface,
    smaller,
    weight_dtype,
)
from pytest_edgebudget.passes._litert_recipes import int8_weights
from pytest_edgebudget.passes._onnx_weights import store_weights
from pytest_edgebudget.passes._ready import ready
from pytest_edgebudget.passes.base import Job, Pass
from pytest_edgebudget.types import Step


def apply(job: Job) -> None:
    """
    Store weights as int8, one scale per output channel: about a quarter of the size.

    Needs no data. They are converted back to float32 when the model is loaded:
    the answers are nearly the float model's, memory and time are the float
    model's too. For a download or flash budget. (onnxruntime runs some dense
    layers with such weights in kernels that round activations to 8 bits.)
    """
    ready(job)
    if job.model.suffix == ".tflite":
        _litert.quantize(job, int8_weights)
    else:
        store_weights(job, bits=8)


def check(before: Graph, after: Graph, step: Step) -> str:
    """Weights int8 and dequantized before use, the file smaller."""
    return all_of(
        weight_dtype(after, "int8", direct=False),
        float_activations(after),
        smaller(before, after),
        interface(before, after),
    )


PASS = Pass(
    name="weights_int8",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx"}),
    libraries=(*_litert.LIBRARIES, *_onnx.LIBRARIES),
)
