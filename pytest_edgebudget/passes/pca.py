"""``pca(8)``: principal components of the input instead of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of, interface
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes._narrower import fewer_macs, same_kinds_of_numbers
from pytest_edgebudget.passes._weights import weights
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.training import files, loop, parameters, settings_of
from pytest_edgebudget.training.arrays import read_samples
from pytest_edgebudget.training.settings import LIBRARIES
from pytest_edgebudget.types import Step

if TYPE_CHECKING:
    from pytest_edgebudget.surgery.inputs import Front

PARAMETERS = (
    Parameter("components", int, "so many numbers are left of the input", None, 1, 100_000),
    *parameters(epochs=10),
)


def apply(job: Job) -> None:
    """
    Project the input onto its principal components, inside the model.

    Needs a Keras 3 source whose first layer is dense, ``x_train`` (scikit-learn's PCA is
    fitted on it) and, to train the rest, ``y_train``. The projection is the model's first
    layer; the dense layer behind it reads so many numbers, and starts where it answers as
    before for what the components keep. The input keeps its shape. Saves work and bytes
    where inputs are many and alike; refused where the projection costs more than it saves.
    """
    from pytest_edgebudget.surgery.inputs import check_count, front, project, vectors
    from pytest_edgebudget.surgery.rebuild import functional

    decomposition = load("sklearn.decomposition", f"the pass {job.step.name}")
    given = arguments(job.step, PARAMETERS)
    settings, count = settings_of(given), int(given["components"])
    loop.start(settings)
    model = functional(files.read_model(job.model, str(job.step)))
    first = front(model, job.step)
    check_count(count, first.width, job.step)
    _check_saves(count, first, job.step)
    x = vectors(first, read_samples(job.data, "train", model, job.step).inputs)
    if count > len(x):
        raise BuildError(
            f"{job.step}: {len(x)} samples have no {count} components", "add samples to x_train"
        )
    fitted = decomposition.PCA(count, svd_solver="full").fit(x)
    kept = fitted.explained_variance_ratio_.sum()
    job.note(f"{count} of {first.width} components hold {kept:.1%} of the inputs' variance")
    made = project(model, first, fitted.components_, fitted.mean_)
    loop.train(job, made, settings)
    files.write_model(made, job.out)


def _check_saves(count: int, first: Front, step: Step) -> None:
    units: Any = first.dense.units
    most = (first.width * units - 1) // (first.width + units)
    if count > most:
        raise BuildError(
            f"{step}: projecting {first.width} inputs for {units} units costs more than it saves",
            f"at most {most} components save work" if most else "rfe(n) chooses inputs at no cost",
        )


def check(before: Graph, after: Graph, step: Step) -> str:
    """One more layer, the first of so many outputs; less work, inputs and dtypes as before."""
    if after.format == "keras":  # its layers are not read here
        return ""
    count = int(arguments(step, PARAMETERS)["components"])
    found = weights(after)
    first = found[0].tensor.shape or () if found else ()
    return all_of(
        interface(before, after),
        "" if len(found) == len(weights(before)) + 1 else "there is not one layer more",
        "" if count in first else f"the first layer does not make {count} numbers: {first}",
        fewer_macs(before, after),
        same_kinds_of_numbers(before, after),
    )


PASS = Pass(
    name="pca",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx", "keras"}),
    parameters=PARAMETERS,
    libraries=(*LIBRARIES, "scikit-learn"),
    trains=True,
)
