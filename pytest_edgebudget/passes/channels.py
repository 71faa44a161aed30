"""``channels(0.3)``: really narrower layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of, interface
from pytest_edgebudget.passes._narrower import fewer_macs, narrower, same_kinds_of_numbers
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.training import files, loop, parameters, settings_of
from pytest_edgebudget.training.settings import LIBRARIES
from pytest_edgebudget.types import Step

if TYPE_CHECKING:
    from pytest_edgebudget.surgery.ranking import Scores

RANKINGS = ("l1", "bn", "taylor")
PARAMETERS = (
    Parameter("fraction", float, "share of each group of channels that goes", None, 0.0, 0.99),
    Parameter("by", str, "which channels go: the least by l1, bn or taylor", "l1"),
    Parameter("multiple", int, "what is left of a group is a multiple of it", 1, 1, 1024),
    *parameters(epochs=5),
)


def apply(job: Job) -> None:
    """
    Cut whole channels out of a Keras model: fewer weights, less memory, less time.

    Needs a Keras 3 source and ``x_train``, ``y_train`` to train the rest (``epochs=0``:
    no training). Channels that meet go together: those that are added to one another,
    that a depthwise convolution or a batch norm hands on, and the columns that a
    flatten makes of them. Inputs and outputs stay whole, and so do channels that go
    into a layer which is not known (attention, recurrent layers). A cut of 0.3 leaves
    half of the multiply-accumulates of a convolution between two others.
    ``by``: the L1 norm of a channel's weights, the scale of its batch norm (``bn``), or
    what the loss would lose without it (``taylor``, from ``x_train``). ``multiple=4`` or
    8 suits vector units. A layer norm takes its mean over the channels that stay.
    """
    from pytest_edgebudget.surgery.narrow import narrow
    from pytest_edgebudget.surgery.rebuild import functional

    given = arguments(job.step, PARAMETERS)
    settings = settings_of(given)
    loop.start(settings)
    model = functional(files.read_model(job.model, str(job.step)))
    scores = _scores(model, str(given["by"]), job)
    made = narrow(model, scores, float(given["fraction"]), multiple=int(given["multiple"]))
    for note in made.notes:
        job.note(note)
    loop.train(job, made.model, settings)
    files.write_model(made.model, job.out)


def _scores(model: Any, by: str, job: Job) -> Scores:
    from pytest_edgebudget.surgery import ranking

    if by not in RANKINGS:
        raise BuildError(f"{job.step}: by is {by}", f"it is one of {', '.join(RANKINGS)}")
    if by == "taylor":
        return ranking.by_taylor(model, job)
    return ranking.by_scale(model) if by == "bn" else ranking.by_l1(model)


def check(before: Graph, after: Graph, step: Step) -> str:
    """Narrower layers, fewer multiply-accumulates, inputs, outputs and dtypes as before."""
    if after.format == "keras":  # its layers are not read here
        return "" if after.size < before.size else "the file did not shrink"
    return all_of(
        interface(before, after),
        narrower(before, after),
        fewer_macs(before, after),
        same_kinds_of_numbers(before, after),
    )


PASS = Pass(
    name="channels",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx", "keras"}),
    parameters=PARAMETERS,
    libraries=LIBRARIES,
    trains=True,
)
