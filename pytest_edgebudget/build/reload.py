"""A finished file in the runtime that it is meant for: one run on zeros."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_edgebudget.devices import runtimes as devices
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.jobs.resolve import resolve

RUNTIMES = {"tflite": "litert", "onnx": "onnxruntime", "keras": "hls4ml"}
"""Where a format is tried when the device does not say."""

NOT_HERE = ("missing", "runtime")
"""Refusals that say nothing about the model: the runtime is not in this Python."""


def reload(payload: dict[str, Any]) -> str:
    """
    Load, allocate and run the model once; return a note when the runtime is not here.

    Raises:
        BuildError: the runtime refuses it, with the runtime's own sentence.
    """
    from pytest_edgebudget.worker.refusal import Refusal
    from pytest_edgebudget.worker.runtimes import open_runtime

    runtime = str(payload["runtime"])
    model = Path(payload["model"])
    if prepare := devices.RUNTIMES[runtime].prepare:
        model = resolve(prepare)(model)
    try:
        open_runtime(runtime).load(str(model), 1).invoke()
    except Refusal as refusal:
        if refusal.kind in NOT_HERE:
            return f"not tried in {runtime}: {refusal.message}"
        raise _refused(payload, refusal) from None
    except Exception as error:  # whatever the runtime raises, it is its answer
        raise _refused(payload, error) from None
    return ""


def _refused(payload: dict[str, Any], error: Exception) -> BuildError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return BuildError(
        f"{payload['runtime']} refuses what {payload['recipe']} made: "
        f"{lines[0] if lines else type(error).__name__}",
        "another recipe, or another runtime of the device, may do",
    )
