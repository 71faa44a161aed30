"""``tune(trials=30)``: the width, depth ... that the user's function builds best with."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import interface
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.training import files, parameters, settings_of
from pytest_edgebudget.training.settings import LIBRARIES
from pytest_edgebudget.types import Step

PARAMETERS = (
    Parameter("trials", int, "so many models are trained at most", 30, 1, 10_000),
    Parameter("minutes", float, "no other trial is begun after so long", 60.0, 0.01, 100_000.0),
    *parameters(epochs=20),
)


def apply(job: Job) -> None:
    """
    Find the width, depth, dropout, learning rate ... of the model by training many.

    Needs ``path = "package.module:function"`` that builds a Keras 3 model, the table
    ``[models.NAME.tune]`` with what to choose, and ``x_train``, ``y_train``. Optuna (TPE,
    seeded) proposes, and the limits of size, arena and macs are constraints: a model is
    built, converted as the rest of the recipe would (``tune(30)+int8``), and trained only
    if it can fit. The best on ``x_val`` (or a seeded fifth of ``x_train``) is taken as it
    was trained: by the share of right answers, or the squared error. The function without
    arguments is the source model. A killed search goes on where it was.
    """
    load("optuna", f"the pass {job.step.name}")
    given = arguments(job.step, PARAMETERS)
    if job.tuning is None or not job.tuning.space:
        raise BuildError(
            f"{job.step} chooses what a function builds, and has none to call or nothing to choose",
            'path = "package.module:function", and [models.NAME.tune] with width = [8, 64]',
        )
    from pytest_edgebudget.surgery.tuning import Search

    with tempfile.TemporaryDirectory(prefix="edgebudget-") as name:
        best = Search(
            job=job,
            tuning=job.tuning,
            settings=settings_of(given),
            trials=int(given["trials"]),
            seconds=60.0 * float(given["minutes"]),
            folder=job.checkpoint or Path(name),
        ).run()
        files.write_model(files.read_model(best.model, str(job.step)), job.out)
    job.note(best.note)


def check(before: Graph, after: Graph, step: Step) -> str:
    """The inputs and outputs of the source model. That it fits, its limits say."""
    return "" if after.format == "keras" else interface(before, after)


PASS = Pass(
    name="tune",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx", "keras"}),
    parameters=PARAMETERS,
    libraries=(*LIBRARIES, "optuna"),
    trains=True,
    tunes=True,
)
