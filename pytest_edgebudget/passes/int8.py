"""``int8``: full integer, by calibration."""

from __future__ import annotations

from functools import partial

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes import _litert, _onnx
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import (
    all_of,
    integer,
    integer_ends,
    interface,
    smaller,
    weight_dtype,
)
from pytest_edgebudget.passes._litert_recipes import static
from pytest_edgebudget.passes._onnx_static import quantize_static
from pytest_edgebudget.passes._ready import ready
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.types import Step

PARAMETERS = (
    Parameter(
        name="per_channel",
        type=bool,
        help="one scale per output channel; false: one per tensor, smaller and less accurate",
        default=True,
    ),
    Parameter(
        name="form",
        type=str,
        help=".onnx only: qdq, or qoperator (smaller, needs onnxruntime's own ops)",
        default="qdq",
    ),
)
FORMS = {"qdq": "QDQ", "qoperator": "QOperator"}


def apply(job: Job) -> None:
    """
    Weights and activations in int8: about a quarter of the size, and integer arithmetic.

    Needs ``x_calibration``: the ranges of the activations are taken from its
    first 200 samples. In `.tflite` inputs and outputs become int8, too (data
    is quantized by their own scale and zero point); in `.onnx` they stay float
    with a QuantizeLinear behind them. What every microcontroller and
    accelerator runs; the accuracy usually drops by less than a point.
    """
    options = arguments(job.step, PARAMETERS)
    form, per_channel = str(options["form"]), bool(options["per_channel"])
    if form not in FORMS:
        raise BuildError(f"{job.step}: form is one of {', '.join(FORMS)}")
    ready(job)
    if job.model.suffix == ".onnx":
        quantize_static(job, form=FORMS[form], per_channel=per_channel)
    elif form != "qdq":
        raise BuildError(f"{job.step}: form is for .onnx only", "leave it out")
    else:
        _litert.quantize(job, partial(static, 8, per_channel), calibrate=True)


def check(before: Graph, after: Graph, step: Step) -> str:
    """Every convolution and dense layer in int8, the file smaller."""
    return all_of(
        weight_dtype(after, "int8"),
        integer(after, "int8"),
        integer_ends(after, "int8"),
        smaller(before, after) if after.format == "tflite" else "",
        interface(before, after),
    )


PASS = Pass(
    name="int8",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx"}),
    calibrated=True,
    parameters=PARAMETERS,
    libraries=(*_litert.LIBRARIES, *_onnx.LIBRARIES),
)
