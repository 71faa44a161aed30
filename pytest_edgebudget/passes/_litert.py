"""litert-quantizer: a recipe applied to a `.tflite`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from pytest_edgebudget import graph
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.passes._calibration import Calibration, Input, samples
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes._normalise import normalised, packed
from pytest_edgebudget.passes._ranges import CHOICES, spreads
from pytest_edgebudget.passes._versions import set_versions
from pytest_edgebudget.passes.base import Job

LIBRARIES = ("litert-quantizer", "ai-edge-litert", "numpy")


def quantize(
    job: Job, configure: Callable[[Any, Any], None], *, calibrate: Calibration | None = None
) -> None:
    """
    Quantize ``job.model`` into ``job.out``; with ranges of activations if *calibrate* says how.

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
    learnt = _learn(job, work, content, calibrate) if calibrate else None
    result = work.quantize(learnt, enable_progress_bar=False, enable_progress_report=False)
    job.out.write_bytes(bytes(result.quantized_model))
    finished = normalised(job.out, purpose)
    set_versions(finished)
    job.out.write_bytes(packed(finished))


def _learn(job: Job, work: Any, content: bytes, how: Calibration) -> Any:
    """The ranges of all activations on the calibration samples."""
    inputs = _inputs(content)
    try:
        learnt = work.calibrate(
            {key: list(_rows(job, inputs, how)) for key in inputs}, num_threads=1
        )
    except (RuntimeError, ValueError) as error:
        raise BuildError(
            f"litert-quantizer cannot calibrate the model: {error}", WITHOUT_CALIBRATION
        ) from None
    return learnt if how.usual else _chosen(learnt, job, content, how)


def _chosen(learnt: Any, job: Job, content: bytes, how: Calibration) -> Any:
    """*learnt* with other ranges, where it has one range for a tensor."""
    import numpy as np

    found = spreads(partial(_activations, job, content, how))
    for name, values in learnt.items():
        if name in found and {"min", "max"} <= set(values) and values["min"].size == 1:
            low, high = CHOICES[how.method](found[name], how.percentile)
            values["min"] = np.full_like(values["min"], low)
            values["max"] = np.full_like(values["max"], high)
    return learnt


def _activations(job: Job, content: bytes, how: Calibration) -> Iterator[Mapping[str, Array]]:
    """What each tensor of floats that is no constant holds, sample by sample."""
    from ai_edge_litert.interpreter import Interpreter

    reader = Interpreter(
        model_content=content, num_threads=1, experimental_preserve_all_tensors=True
    )
    reader.allocate_tensors()
    inputs = _inputs(content)
    (key,) = inputs
    runner = reader.get_signature_runner(key)
    constants = {tensor.name for tensor in graph.read(job.model).tensors if tensor.constant}
    details = [
        each
        for each in reader.get_tensor_details()
        if each["name"] and each["name"] not in constants and each["dtype"].__name__ == "float32"
    ]
    for row in _rows(job, inputs, how):
        runner(**row)
        # Not those that the runtime keeps for itself: they have no values to read.
        yield {d["name"]: reader.get_tensor(d["index"]) for d in details if all(d["shape"])}


def _refuse_control_flow(job: Job) -> None:
    kinds = [op.kind for op in graph.read(job.model).ops if op.kind in CONTROL_FLOW]
    if kinds:
        raise BuildError(
            f"{job.step} cannot calibrate a .tflite with {kinds[0]}",
            WITHOUT_CALIBRATION,
        )


CONTROL_FLOW = ("WHILE", "IF")
WITHOUT_CALIBRATION = "a pass without calibration may do: dynamic_int8, weights_int8"


def _rows(
    job: Job, inputs: Mapping[str, list[Input]], how: Calibration
) -> Iterator[dict[str, Array]]:
    (wanted,) = inputs.values()
    return samples(job.calibration, wanted, how.samples)


def _inputs(content: bytes) -> dict[str, list[Input]]:
    """The inputs of the model's only signature, by its key."""
    from ai_edge_litert.interpreter import Interpreter

    reader = Interpreter(model_content=content, num_threads=1)
    signatures = reader.get_signature_list()
    if len(signatures) != 1:
        raise BuildError(f"the model has {len(signatures)} signatures; a gated model has one")
    (key,) = signatures
    details = reader.get_signature_runner(key).get_input_details()
    found = [
        Input(
            names=(name, detail["name"]),
            shape=tuple(int(n) for n in detail["shape"]),
            dtype=detail["dtype"],
        )
        for name, detail in details.items()
    ]
    return {key: found}
