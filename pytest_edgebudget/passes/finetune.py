"""``finetune(epochs=3)``: more training, and nothing else."""

from __future__ import annotations

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of, interface
from pytest_edgebudget.passes._trained import same_ops, trained
from pytest_edgebudget.passes.base import Job, Pass
from pytest_edgebudget.training import files, loop
from pytest_edgebudget.training.settings import LIBRARIES, parameters, settings_of
from pytest_edgebudget.types import Step

PARAMETERS = parameters(epochs=3)


def apply(job: Job) -> None:
    """
    Train the model a little longer on ``x_train`` and ``y_train``.

    Needs a Keras 3 source. Saves nothing: it is the float control that a trained
    recipe is compared with, so that the recipe is not credited with what more training
    alone brings. Adam, its rate on a cosine down to 0; the loss is found from the
    labels: cross-entropy for classes, binary cross-entropy for a sigmoid, the mean
    squared error for values, and without labels the reconstruction of the input.
    """
    settings = settings_of(arguments(job.step, PARAMETERS))
    loop.start(settings)
    model = files.read_model(job.model, str(job.step))
    loop.train(job, model, settings)
    files.write_model(model, job.out)


def check(before: Graph, after: Graph, step: Step) -> str:
    """The ops and shapes as before, other weights."""
    return all_of(interface(before, after), same_ops(before, after), trained(before, after))


PASS = Pass(
    name="finetune",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx", "keras"}),
    parameters=PARAMETERS,
    libraries=LIBRARIES,
    trains=True,
)
