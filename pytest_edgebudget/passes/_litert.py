"""litert-quantizer: a recipe applied to a `.tflite`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_edgebudget import graph
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes._calibration import Input, samples
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes._normalise import normalised, packed
from pytest_edgebudget.passes._versions import set_versions
from pytest_edgebudget.passes.base import Job

LIBRARIES = ("litert-quantizer", "ai-edge-litert", "numpy")


def quantize(job: Job, configure: Callable[[Any, Any], None], *, calibrate: bool = False) -> None:
    """
    Quantize ``job.model`` into ``job.out``.

    *configure* gets the quantizer and the module ``qtyping``, and sets the recipe.
    """
    purpose = f"the pass {job.step.name}"
    if calibrate:
        _refuse_control_flow(job)
    quantizer = load("litert_quantizer.quantizer", purpose)
    qtyping = load("litert_quantizer.qtyping", purpose)
    content = packed(normalised(job.model, purpose))
    work = quantizer.Quantizer(bytearray(content))
    configure(work, qtyping)
    learnt = _learn(job, work, content) if calibrate else None
    result = work.quantize(learnt, enable_progress_bar=False, enable_progress_report=False)
    job.out.write_bytes(bytes(result.quantized_model))
    finished = normalised(job.out, purpose)
    set_versions(finished)
    job.out.write_bytes(packed(finished))


def _learn(job: Job, work: Any, content: bytes) -> Any:
    """The ranges of all activations on the calibration samples."""
    try:
        return work.calibrate(_calibration(job, content), num_threads=1)
    except (RuntimeError, ValueError) as error:
        raise BuildError(
            f"litert-quantizer cannot calibrate the model: {error}", WITHOUT_CALIBRATION
        ) from None


def _refuse_control_flow(job: Job) -> None:
    kinds = [op.kind for op in graph.read(job.model).ops if op.kind in CONTROL_FLOW]
    if kinds:
        raise BuildError(
            f"{job.step} cannot calibrate a .tflite with {kinds[0]}",
            WITHOUT_CALIBRATION,
        )


CONTROL_FLOW = ("WHILE", "IF")
WITHOUT_CALIBRATION = "a pass without calibration may do: dynamic_int8, weights_int8"


def _calibration(job: Job, content: bytes) -> dict[str, list[dict[str, Any]]]:
    from ai_edge_litert.interpreter import Interpreter

    reader = Interpreter(model_content=content, num_threads=1)
    signatures = reader.get_signature_list()
    if len(signatures) != 1:
        raise BuildError(f"the model has {len(signatures)} signatures; a gated model has one")
    (key,) = signatures
    details = reader.get_signature_runner(key).get_input_details()
    inputs = [
        Input(
            names=(name, detail["name"]),
            shape=tuple(int(n) for n in detail["shape"]),
            dtype=detail["dtype"],
        )
        for name, detail in details.items()
    ]
    return {key: list(samples(job.calibration, inputs))}
