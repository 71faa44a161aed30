"""onnxruntime's static quantization."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes._calibration import USUAL, Calibration
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes._onnx import (
    activations,
    calibration,
    finish,
    prepared,
    refuse_control_flow,
)
from pytest_edgebudget.passes._ranges import CHOICES, Spread, spreads
from pytest_edgebudget.passes.base import Job


def quantize_static(
    job: Job,
    how: Calibration,
    *,
    activation_type: str = "QInt8",
    form: str = "QDQ",
    per_channel: bool = True,
) -> None:
    """
    Quantize ``job.model`` into ``job.out``: int8 weights, activations calibrated as *how* says.

    *activation_type* and *form* are names of onnxruntime's QuantType and QuantFormat.
    """
    refuse_control_flow(job)
    purpose = f"the pass {job.step.name}"
    quantization = load("onnxruntime.quantization", purpose)
    model = prepared(job, purpose)
    quantization.quantize_static(
        str(model),
        str(job.out),
        calibration(job, model, how),
        quant_format=getattr(quantization.QuantFormat, form),
        activation_type=getattr(quantization.QuantType, activation_type),
        weight_type=quantization.QuantType.QInt8,
        per_channel=per_channel,
        calibration_providers=["CPUExecutionProvider"],
        **_ranges(job, model, how),
    )
    _finish(job)


def _ranges(job: Job, model: Path, how: Calibration) -> dict[str, Any]:
    """The ranges in the form of onnxruntime's own cache; empty: it finds them by itself."""
    if how.method in (USUAL, "minmax"):
        return {}
    from onnxruntime import quantization

    if "calibration_cache_path" not in inspect.signature(quantization.quantize_static).parameters:
        raise BuildError(
            f"{job.step}: this onnxruntime finds the ranges itself",
            "onnxruntime 1.32 takes those of a calibration; or calibration=minmax",
        )
    path = job.out.with_suffix(".ranges.json")
    _write_ranges(path, spreads(partial(activations, job, model, how)), how)
    return {"calibration_cache_path": str(path)}


def _write_ranges(path: Path, found: Mapping[str, Spread], how: Calibration) -> None:
    import numpy as np
    from onnxruntime.quantization import CalibrationMethod
    from onnxruntime.quantization import calibrate as ort

    chosen = {
        name: tuple(np.float32(end) for end in CHOICES[how.method](spread, how.percentile))
        for name, spread in found.items()
    }
    # What is read back from the file has to be called what quantize_static expects.
    ort.save_tensors_data(ort.TensorsData(CalibrationMethod.MinMax, chosen), path)


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
