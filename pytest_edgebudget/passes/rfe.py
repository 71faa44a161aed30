"""``rfe(8)``: the inputs that matter, chosen by recursive feature elimination."""

from __future__ import annotations

from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of, interface
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes._narrower import fewer_macs, narrower, same_kinds_of_numbers
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.training import files, loop, parameters, settings_of
from pytest_edgebudget.training.arrays import Samples, read_samples
from pytest_edgebudget.training.losses import targets
from pytest_edgebudget.training.settings import LIBRARIES
from pytest_edgebudget.types import Step

PARAMETERS = (
    Parameter("inputs", int, "so many inputs are left", None, 1, 100_000),
    *parameters(epochs=10),
)
GATHERS = ("GATHER", "Gather")
MANY = 100
"""More inputs than this are eliminated a tenth at a time, not one by one."""

NAMED = 20
"""So many chosen inputs are named in the note."""


def apply(job: Job) -> None:
    """
    Read only the inputs that matter most; the others need not be measured any more.

    Needs a Keras 3 source whose first layer is dense, and ``x_train``, ``y_train``:
    scikit-learn's RFE eliminates the inputs that a linear model of the labels needs least
    (a logistic regression for classes, a linear one for values; inputs are standardised
    for it). A gather becomes the model's first layer; the dense layer behind it has so
    many inputs, and is trained with the rest. The input keeps its shape, and the note says
    which of it are read (counted from 0).
    """
    from pytest_edgebudget.surgery.inputs import check_count, choose, front, vectors
    from pytest_edgebudget.surgery.rebuild import functional

    load("sklearn.feature_selection", f"the pass {job.step.name}")
    given = arguments(job.step, PARAMETERS)
    settings, count = settings_of(given), int(given["inputs"])
    loop.start(settings)
    model = functional(files.read_model(job.model, str(job.step)))
    first = front(model, job.step)
    check_count(count, first.width, job.step)
    samples = read_samples(job.data, "train", model, job.step)
    x = vectors(first, samples.inputs)
    places = _chosen(x, *_labels(model, samples, job.step), count)
    shown = ", ".join(map(str, places[:NAMED])) + (" ..." if count > NAMED else "")
    job.note(f"reads the inputs {shown} of {first.width}")
    made = choose(model, first, places, x.mean(axis=0))
    loop.train(job, made, settings)
    files.write_model(made, job.out)


def _labels(model: Any, samples: Samples, step: Step) -> tuple[Array, bool]:
    """Labels of the first output, and whether they are classes."""
    if not samples.labels:
        raise BuildError(
            f"{step} chooses inputs by labels, but the data have no y_train",
            "add y_train to the data",
        )
    target = next(iter(targets(model, samples, step).values()))
    labels = target.labels.reshape(len(samples), -1)
    one = labels[:, 0] if labels.shape[1] == 1 else labels
    return one, target.kind != "values" and one.ndim == 1


def _chosen(x: Array, labels: Array, classes: bool, count: int) -> list[int]:
    """The places of the inputs that are left, ascending."""
    import warnings

    from sklearn.feature_selection import RFE
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.preprocessing import StandardScaler

    judge = LogisticRegression(max_iter=1000) if classes else LinearRegression()
    step: float = 1 if x.shape[1] <= MANY else 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a judge that has not converged still ranks
        found = RFE(judge, n_features_to_select=count, step=step).fit(
            StandardScaler().fit_transform(x), labels
        )
    return [int(place) for place in found.get_support(indices=True)]


def check(before: Graph, after: Graph, step: Step) -> str:
    """A gather of so many; narrower behind it; less work, inputs and dtypes as before."""
    if after.format == "keras":  # its layers are not read here
        return ""
    count = int(arguments(step, PARAMETERS)["inputs"])
    gathered = [
        after.tensors[op.outputs[0]].shape for op in after.ops if op.kind.startswith(GATHERS)
    ]
    return all_of(
        interface(before, after),
        "" if any((shape or (0,))[-1] == count for shape in gathered) else "there is no gather",
        narrower(before, after),
        fewer_macs(before, after),
        same_kinds_of_numbers(before, after),
    )


PASS = Pass(
    name="rfe",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx", "keras"}),
    parameters=PARAMETERS,
    libraries=(*LIBRARIES, "scikit-learn"),
    trains=True,
)
