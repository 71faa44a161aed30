"""``low_rank(0.9)``: layers as products of two smaller ones."""

from __future__ import annotations

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of, interface
from pytest_edgebudget.passes._narrower import fewer_macs, same_kinds_of_numbers
from pytest_edgebudget.passes._weights import weights
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.training import files, loop, parameters, settings_of
from pytest_edgebudget.training.settings import LIBRARIES
from pytest_edgebudget.types import Step

PARAMETERS = (
    Parameter("energy", float, "share of the squared singular values that is kept", None, 0.01, 1),
    *parameters(epochs=0),
)


def apply(job: Job) -> None:
    """
    Factor dense layers and convolutions by their singular values: less work, fewer bytes.

    Needs a Keras 3 source; no data, unless ``epochs`` trains what was made. Each
    layer gets the smallest rank that keeps the share ``energy`` of its squared
    singular values, and becomes two: a dense layer two dense layers, a convolution one
    with few filters and a 1x1 behind it, or a column and a row, whichever computes
    less. Layers stay whole where that would save less than 1 % of the model's work
    and of its weights, and so do depthwise ones. 0.9 costs little where layers are
    wide; small networks have no rank to spare. One more layer in the graph may cost
    more time than its multiply-accumulates save.
    """
    from pytest_edgebudget.surgery.factors import factor
    from pytest_edgebudget.surgery.rebuild import functional

    given = arguments(job.step, PARAMETERS)
    settings = settings_of(given)
    loop.start(settings)
    model = functional(files.read_model(job.model, str(job.step)))
    made = factor(model, float(given["energy"]))
    for note in made.notes:
        job.note(note)
    loop.train(job, made.model, settings)
    files.write_model(made.model, job.out)


def check(before: Graph, after: Graph, step: Step) -> str:
    """More layers, fewer multiply-accumulates; inputs, outputs and dtypes as before."""
    if after.format == "keras":  # its layers are not read here
        return ""
    more = len(weights(after)) > len(weights(before))
    return all_of(
        interface(before, after),
        "" if more else "no layer became two",
        fewer_macs(before, after),
        same_kinds_of_numbers(before, after),
    )


PASS = Pass(
    name="low_rank",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx", "keras"}),
    parameters=PARAMETERS,
    libraries=LIBRARIES,
    trains=True,
)
