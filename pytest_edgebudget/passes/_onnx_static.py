"""onnxruntime's static quantization."""

from __future__ import annotations

from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes._onnx import calibration, finish, prepared, refuse_control_flow
from pytest_edgebudget.passes.base import Job


def quantize_static(
    job: Job,
    *,
    activations: str = "QInt8",
    form: str = "QDQ",
    per_channel: bool = True,
    ranges: str = "MinMax",
    percentile: float = 99.9,
) -> None:
    """
    Quantize ``job.model`` into ``job.out``: int8 weights, *activations* by calibration.

    *activations*, *form* and *ranges* are names of onnxruntime's QuantType,
    QuantFormat and CalibrationMethod; *percentile* counts for the one of its name.
    """
    refuse_control_flow(job)
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
        calibrate_method=getattr(quantization.CalibrationMethod, ranges),
        extra_options={"CalibPercentile": percentile},
        calibration_providers=["CPUExecutionProvider"],
    )
    _finish(job)


def quantize_dynamic(job: Job) -> None:
    """Quantize ``job.model`` into ``job.out``: int8 weights, activations as they come."""
    refuse_control_flow(job)
    purpose = f"the pass {job.step.name}"
    quantization = load("onnxruntime.quantization", purpose)
    quantization.quantize_dynamic(
        str(prepared(job, purpose)),
        str(job.out),
        per_channel=True,
        weight_type=quantization.QuantType.QInt8,
    )
    _finish(job)


def _finish(job: Job) -> None:
    onnx = load("onnx", f"the pass {job.step.name}")
    finish(job, onnx.load(str(job.out)))
