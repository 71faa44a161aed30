"""``int16x8``: int16 activations, int8 weights, by calibration."""

from __future__ import annotations

from functools import partial

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes import _litert, _onnx
from pytest_edgebudget.passes._calibration import Calibration
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
from pytest_edgebudget.passes.base import Job, Pass
from pytest_edgebudget.types import Step


def apply(job: Job) -> None:
    """
    Activations in int16, weights in int8: integers with nearly the float model's accuracy.

    Needs ``x_calibration`` (its first 200 samples). Where int8 loses too much.
    Slow where the runtime has no fast int16 kernels: on CPUs it ran 24 to 36
    times slower than float in LiteRT.
    """
    ready(job)
    if job.model.suffix == ".tflite":
        _litert.quantize(job, partial(static, 16, True), calibrate=Calibration())
    else:
        quantize_static(job, Calibration(), activation_type="QInt16")


def check(before: Graph, after: Graph, step: Step) -> str:
    """Activations of every convolution and dense layer in int16, their weights in int8."""
    return all_of(
        weight_dtype(after, "int8"),
        integer(after, "int16"),
        integer_ends(after, "int16"),
        smaller(before, after) if after.format == "tflite" else "",
        interface(before, after),
    )


PASS = Pass(
    name="int16x8",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx"}),
    calibrated=True,
    libraries=(*_litert.LIBRARIES, *_onnx.LIBRARIES),
)
