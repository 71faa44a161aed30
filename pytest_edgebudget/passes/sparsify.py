"""``sparsify(0.7)``: small weights become zero while the model is trained."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of, interface
from pytest_edgebudget.passes._magnitude import prunable, zero_share
from pytest_edgebudget.passes._trained import same_ops
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.training import files, loop
from pytest_edgebudget.training.settings import LIBRARIES, parameters, settings_of
from pytest_edgebudget.training.sparsity import GROUP, Pruning, Sparsity
from pytest_edgebudget.types import Step

PARAMETERS = (
    Parameter(
        name="fraction",
        type=float,
        help="share of each layer's weights that becomes zero",
        minimum=0.01,
        maximum=0.99,
    ),
    *parameters(epochs=6, learning_rate=2e-3, least=1),
    Parameter(
        name="pattern",
        type=str,
        help="none; 2:4 (two of four neighbours along the inputs; fraction 0.5); 1x4 (blocks)",
        default="none",
    ),
)
PATTERNS = ("none", "2:4", "1x4")


def apply(job: Job) -> None:
    """
    Prune by magnitude while the model is trained: zeros that cost little accuracy.

    Needs a Keras 3 source, ``x_train`` and ``y_train``. Saves nothing in the file, but in
    the download (zeros compress: see download_size); `int8` behind it keeps the zeros. The
    share of zeros grows fast at first and slowly at the end (Zhu and Gupta 2017), for half
    of the steps; then what is left is trained. ``pattern=2:4`` and ``1x4`` are for
    kernels that can use them; layers whose inputs do not come in fours stay whole then, as
    depthwise convolutions and embeddings always do.
    """
    given = arguments(job.step, PARAMETERS)
    wanted, settings = wanted_of(job.step), settings_of(given)
    loop.start(settings)
    model = files.read_model(job.model, str(job.step))
    pruning = Pruning(model, wanted)
    if not pruning.kept:
        raise BuildError(
            f"{job.step} finds no layer to prune: none has inputs that come in fours",
            "leave the pattern out",
        )
    loop.train(job, model, settings, after_batch=pruning)
    files.write_model(model, job.out)


def wanted_of(step: Step) -> Sparsity:
    """What a step asks for. Raises BuildError for a pattern that nobody knows."""
    given = arguments(step, PARAMETERS)
    share, pattern = float(given["fraction"]), str(given["pattern"])
    if pattern not in PATTERNS:
        raise BuildError(f"{step}: pattern is one of {', '.join(PATTERNS)}")
    if pattern == "2:4" and share != 0.5:
        raise BuildError(f"{step}: of 2:4 the fraction is 0.5", "sparsify(0.5, pattern=2:4)")
    return Sparsity(share, pattern)


def check(before: Graph, after: Graph, step: Step) -> str:
    """The share of zeros in each layer, in the pattern; ops and shapes as before."""
    if after.format == "keras":
        return ""
    wanted = wanted_of(step)
    layers = list(_concerned(after, wanted))
    dense = [tensor.name for tensor in layers if zero_share(tensor) < wanted.share]
    torn = [] if after.format == "onnx" else [t.name for t in layers if not _holds(t, wanted)]
    return all_of(
        "" if layers else "there is no layer with zeros",
        f"less than {wanted.share:g} of the weights are zero in {dense[0]}" if dense else "",
        f"the zeros of {torn[0]} are not {wanted.pattern}" if torn else "",
        interface(before, after),
        same_ops(before, after),
    )


def _concerned(graph: Graph, wanted: Sparsity) -> Iterator[Tensor]:
    """Weights on which the pattern could be laid; in `.onnx` their inputs are anywhere."""
    for tensor in prunable(graph):
        if wanted.pattern == "none":
            yield tensor
        elif graph.format == "onnx":
            if zero_share(tensor) >= wanted.share / 2:
                yield tensor
        elif tensor.shape and tensor.shape[-1] % GROUP == 0:
            yield tensor


def _holds(tensor: Tensor, wanted: Sparsity) -> bool:
    """Whether each four neighbours have two zeros (2:4), or four or none (1x4)."""
    import numpy as np

    if wanted.pattern == "none":
        return True
    assert tensor.data is not None
    zeros: Array = (np.frombuffer(tensor.data, tensor.dtype).reshape(-1, GROUP) == 0).sum(axis=1)
    if wanted.pattern == "2:4":
        return bool((zeros >= 2).all())
    whole = int((zeros == GROUP).sum())
    return whole >= math.floor(wanted.share * zeros.size)


PASS = Pass(
    name="sparsify",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx", "keras"}),
    parameters=PARAMETERS,
    libraries=LIBRARIES,
    trains=True,
)
