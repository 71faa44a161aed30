"""Whether a model can be quantized at all."""

from __future__ import annotations

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph, read
from pytest_edgebudget.passes._weights import weights
from pytest_edgebudget.passes.base import Job


def ready(job: Job) -> Graph:
    """
    Return the graph of ``job.model``, a float model with weights.

    Raises:
        BuildError: it is quantized already, or has nothing to quantize.
    """
    graph = read(job.model)
    found = weights(graph)
    if not found:
        raise BuildError(
            f"{job.step} finds no weights: no convolution and no dense layer",
            'optimize = ["none"] gates the model as it is',
        )
    kinds = sorted({weight.tensor.dtype for weight in found} - {"float32", "float64"})
    if kinds:
        raise BuildError(
            f"{job.step} needs a float model, but weights are {', '.join(kinds)} already",
            'optimize = ["none"] gates the model as it is',
        )
    return graph
