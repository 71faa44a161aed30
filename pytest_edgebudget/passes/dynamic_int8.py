"""``dynamic_int8``: int8 weights, activations quantized while the model runs."""

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
from pytest_edgebudget.passes._litert_recipes import dynamic
from pytest_edgebudget.passes._onnx_static import quantize_dynamic
from pytest_edgebudget.passes._ready import ready
from pytest_edgebudget.passes.base import Job, Pass
from pytest_edgebudget.types import Step


def apply(job: Job) -> None:
    """
    Store weights as int8 and compute with them in int8: about a quarter of the size.

    Needs no data: activations are quantized while the model runs, by the range
    that they have in that very sample. Inputs and outputs stay float. Not a
    full integer model: accelerators that know integers only cannot run it.
    tflite-runtime 2.14 does not know its dense layers and refuses the file.
    """
    ready(job)
    if job.model.suffix == ".tflite":
        _litert.quantize(job, dynamic)
    else:
        quantize_dynamic(job)


def check(before: Graph, after: Graph, step: Step) -> str:
    """Weights int8 and computed with as such, the file smaller."""
    return all_of(
        weight_dtype(after, "int8", direct=True),
        float_activations(after),
        smaller(before, after),
        interface(before, after),
    )


PASS = Pass(
    name="dynamic_int8",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx"}),
    libraries=(*_litert.LIBRARIES, *_onnx.LIBRARIES),
)
