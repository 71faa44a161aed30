"""``int8``: full integer, by calibration."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes import _litert, _onnx
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._calibration import PARAMETERS as CALIBRATION
from pytest_edgebudget.passes._calibration import calibration_of
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
from pytest_edgebudget.training import conversion
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
    *CALIBRATION,
)
FORMS = {"qdq": "QDQ", "qoperator": "QOperator"}


def apply(job: Job) -> None:
    """
    Weights and activations in int8: about a quarter of the size, and integer arithmetic.

    Needs ``x_calibration``: the ranges of the activations are taken from its first 200
    samples, or so many as ``samples`` says. In `.tflite` inputs and outputs become int8,
    too (data is quantized by their own scale and zero point); in `.onnx` they stay float
    with a QuantizeLinear behind them. What every microcontroller and accelerator runs;
    the accuracy usually drops by less than a point. Where a few samples are far larger
    than the others, `int8(calibration=percentile, percentile=99)` cuts them off: finer
    steps for all others. ``entropy`` does so where less information is lost; ``mse`` only
    where the squared error shrinks, so that few values that are very large stay. Behind
    `qat` it takes the ranges that were learnt, and needs no calibration.
    """
    if ranges_learnt := conversion.trained_ranges(job.trained):
        _as_trained(job, ranges_learnt)
        return
    options = arguments(job.step, PARAMETERS)
    form, per_channel = str(options["form"]), bool(options["per_channel"])
    if form not in FORMS:
        raise BuildError(f"{job.step}: form is one of {', '.join(FORMS)}")
    if form != "qdq" and job.model.suffix != ".onnx":
        raise BuildError(f"{job.step}: form is for .onnx only", "leave it out")
    how = calibration_of(job.step, options)
    ready(job)
    if job.model.suffix == ".onnx":
        quantize_static(job, how, form=FORMS[form], per_channel=per_channel)
    else:
        _litert.quantize(job, partial(static, 8, per_channel), calibrate=how)


def _as_trained(job: Job, ranges: Mapping[str, Any]) -> None:
    """What `qat` trained, with its ranges."""
    assert job.trained is not None
    if job.step.args or job.step.options:
        raise BuildError(f"{job.step} behind qat takes no arguments", "write qat+int8")
    conversion.to_int8(job.trained, ranges, job.out, job.step)


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
