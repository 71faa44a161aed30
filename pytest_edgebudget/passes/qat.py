"""``qat(epochs=3)``: trained with the rounding of int8, for the `int8` behind it."""

from __future__ import annotations

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of, interface
from pytest_edgebudget.passes._trained import trained
from pytest_edgebudget.passes.base import Job, Pass
from pytest_edgebudget.training import conversion, files, folding, loop, quantized
from pytest_edgebudget.training.settings import LIBRARIES, parameters, settings_of
from pytest_edgebudget.types import Step

PARAMETERS = parameters(epochs=3, least=1)


def apply(job: Job) -> None:
    """
    Train with weights and activations rounded as int8 will round them: `qat+int8`.

    Needs a Keras 3 source, ``x_train`` and ``y_train``; no calibration: `int8` behind it
    takes the ranges that were learnt. For models that lose accuracy by int8 alone. Batch
    norms become part of the layers before them first. Knows dense layers and
    convolutions (1-D, 2-D, depthwise, separable, transposed), pooling, additions,
    products, concatenations and the usual activations; recurrent layers, attention and
    layer normalisation are refused by name. For `.tflite`.
    """
    settings = settings_of(arguments(job.step, PARAMETERS))
    if settings.epochs < 1:
        raise BuildError(f"{job.step} has to train: without it no range is known", "epochs=1")
    loop.start(settings)
    plain = folding.folded(files.read_model(job.model, str(job.step)))
    rounded = quantized.quantized(plain, job.step)
    loop.train(job, rounded, settings)
    quantized.take_weights(plain, rounded)
    note = {conversion.RANGES: quantized.ranges_of(rounded)}
    files.write_model(plain, job.out, note)


def check(before: Graph, after: Graph, step: Step) -> str:
    """Inputs and outputs as before, other weights; `int8` behind it checks the rest."""
    return all_of(interface(before, after), trained(before, after))


PASS = Pass(
    name="qat",
    apply=apply,
    check=check,
    formats=frozenset({"tflite"}),
    parameters=PARAMETERS,
    libraries=LIBRARIES,
    trains=True,
    then="int8",
)
