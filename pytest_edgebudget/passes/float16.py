"""``float16``: weights of half the size."""

from __future__ import annotations

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes import _litert, _onnx
from pytest_edgebudget.passes._checks import all_of, interface, smaller, weight_dtype
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes._litert_recipes import float16_weights
from pytest_edgebudget.passes._ready import ready
from pytest_edgebudget.passes.base import Job, Pass
from pytest_edgebudget.types import Step

SMALLEST, LARGEST = 1e-7, 1e4
"""onnxconverter-common clips to this range, so that nothing becomes 0 or infinity."""


def apply(job: Job) -> None:
    """
    Store weights as float16: about half the size, practically the same answers.

    Needs no data. In `.tflite` they are converted back to float32 when the
    model is loaded, so memory and time stay those of the float model. In
    `.onnx` the whole graph becomes float16, inputs and outputs stay float32;
    on CPUs without float16 arithmetic that is slower.
    """
    ready(job)
    if job.model.suffix == ".tflite":
        _litert.quantize(job, float16_weights)
    else:
        _halve(job)


def _halve(job: Job) -> None:
    _onnx.refuse_control_flow(job)
    purpose = f"the pass {job.step.name}"
    converter = load("onnxconverter_common.float16", purpose)
    model = _onnx.read(_onnx.prepared(job, purpose), purpose)
    halved = converter.convert_float_to_float16(
        model, min_positive_val=SMALLEST, max_finite_val=LARGEST, keep_io_types=True
    )
    _onnx.finish(job, halved)


def check(before: Graph, after: Graph, step: Step) -> str:
    """Weights float16, the file smaller, inputs and outputs as they were."""
    return all_of(weight_dtype(after, "float16"), smaller(before, after), interface(before, after))


PASS = Pass(
    name="float16",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx"}),
    libraries=(*_litert.LIBRARIES, *_onnx.LIBRARIES, "onnxconverter-common"),
)
