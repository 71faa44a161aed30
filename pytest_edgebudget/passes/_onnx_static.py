"""onnxruntime's static quantization."""

from __future__ import annotations

from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes._onnx import calibration, prepared
from pytest_edgebudget.passes.base import Job


def quantize_static(
    job: Job, *, activations: str = "QInt8", form: str = "QDQ", per_channel: bool = True
) -> None:
    """
    Quantize ``job.model`` into ``job.out``: int8 weights, *activations* by calibration.

    *activations* and *form* are names of onnxruntime's QuantType and QuantFormat.
    """
    purpose = f"the pass {job.step.name}"
    quantization = load("onnxruntime.quantization", purpose)
    model = prepared(job, purpose)
    quantization.quantize_static(
        str(model),
        str(job.out),
        calibration(job, model),
        quant_format=getattr(quantization.QuantFormat, form),
        activation_type=getattr(quantization.QuantType, activations),
        weight_type=quantization.QuantType.QInt8,
        per_channel=per_channel,
        calibration_providers=["CPUExecutionProvider"],
    )
    _check_valid(job, per_channel)


def quantize_dynamic(job: Job) -> None:
    """Quantize ``job.model`` into ``job.out``: int8 weights, activations as they come."""
    purpose = f"the pass {job.step.name}"
    quantization = load("onnxruntime.quantization", purpose)
    quantization.quantize_dynamic(
        str(prepared(job, purpose)),
        str(job.out),
        per_channel=True,
        weight_type=quantization.QuantType.QInt8,
    )


def _check_valid(job: Job, per_channel: bool) -> None:
    onnx: Any = load("onnx", f"the pass {job.step.name}")
    try:
        onnx.checker.check_model(onnx.load(str(job.out)))
    except onnx.checker.ValidationError as error:
        hint = "one scale a tensor may do: int8(per_channel=false)" if per_channel else ""
        line = str(error).strip().splitlines()[0]
        raise BuildError(f"onnxruntime made an invalid graph: {line}", hint) from None
