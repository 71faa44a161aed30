"""``regularize(l1=1e-5)``: training that drives weights toward zero."""

from __future__ import annotations

from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of, interface
from pytest_edgebudget.passes._trained import same_ops, trained
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.training import files, loop, zeros
from pytest_edgebudget.training.settings import LIBRARIES, parameters, settings_of
from pytest_edgebudget.types import Step

PARAMETERS = (
    Parameter("l1", float, "of the sum of all weights' magnitudes", 1e-5, 0.0, 1.0),
    Parameter("l2", float, "of the sum of all weights' squares", 0.0, 0.0, 1.0),
    *parameters(epochs=5, least=1),
)


def apply(job: Job) -> None:
    """
    Train with a penalty on large weights: more of them are small, and can be pruned.

    Needs a Keras 3 source, ``x_train`` and ``y_train``. Saves nothing by itself: `prune`
    and `cluster` behind it lose less. The penalty is l1 times the weights' magnitudes plus
    l2 times their squares, on the matrices of convolutions and dense layers, on top of
    those that the model has. l1 from 1e-6 to 1e-4 is usual; more costs accuracy.
    """
    given = arguments(job.step, PARAMETERS)
    l1, l2, settings = float(given["l1"]), float(given["l2"]), settings_of(given)
    if l1 == l2 == 0:
        raise BuildError(f"{job.step}: without l1 and l2 nothing is driven anywhere", "l1=1e-5")
    loop.start(settings)
    model = files.read_model(job.model, str(job.step))
    before = penalty(model, l1, l2)
    _add(model, l1, l2)
    loop.train(job, model, settings)
    after = penalty(model, l1, l2)
    if not after < before:
        raise BuildError(
            f"{job.step} does not keep its promise: the penalty was {before:.4g}, now {after:.4g}",
            "a larger l1, or more epochs",
        )
    files.write_model(model, job.out)


def penalty(model: Any, l1: float, l2: float) -> float:
    """What the weights of *model* cost, without the loss."""
    values = [variable.numpy() for variable in zeros.kernels(model)]
    return float(sum(l1 * abs(value).sum() + l2 * (value**2).sum() for value in values))


def _add(model: Any, l1: float, l2: float) -> None:
    """
    Give each matrix the penalty: a layer's ``kernel_regularizer`` is read once, when it is built.

    Keras asks the variable, and so the file stays without.
    """
    import keras

    for variable in zeros.kernels(model):
        ours, theirs = keras.regularizers.L1L2(l1, l2), variable.regularizer
        both = (lambda values, a=ours, b=theirs: a(values) + b(values)) if theirs else ours
        variable.regularizer = both


def check(before: Graph, after: Graph, step: Step) -> str:
    """Ops and shapes as before, other weights; the penalty is checked where it was trained."""
    return all_of(interface(before, after), same_ops(before, after), trained(before, after))


PASS = Pass(
    name="regularize",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx", "keras"}),
    parameters=PARAMETERS,
    libraries=LIBRARIES,
    trains=True,
)
