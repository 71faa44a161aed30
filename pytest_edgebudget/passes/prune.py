"""``prune(0.3)``: the smallest weights become zero."""

from __future__ import annotations

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes import _onnx
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of
from pytest_edgebudget.passes._magnitude import prunable, pruned, zero_share
from pytest_edgebudget.passes._rewrite import in_place, rewrite
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.types import Step

PARAMETERS = (
    Parameter(
        name="fraction",
        type=float,
        help="share of each layer's weights that becomes zero",
        minimum=0.0,
        maximum=1.0,
    ),
)


def apply(job: Job) -> None:
    """
    Set the smallest weights of every layer to zero: a smaller download.

    Needs no data. The file keeps its size (zeros compress well: see
    download_size), and the model its speed. Without training only little can
    go: 0.1 costs about a point on a small network, 0.3 one to ten points.
    Depthwise convolutions stay whole: they have few weights and need them all.
    Works on float32, float16 and symmetric int8 weights.
    """
    fraction = float(arguments(job.step, PARAMETERS)["fraction"])
    rewrite(job, lambda tensor: pruned(tensor, fraction))


def check(before: Graph, after: Graph, step: Step) -> str:
    """The share of zeros in each layer, all dtypes as before, no byte more in `.tflite`."""
    fraction = float(arguments(step, PARAMETERS)["fraction"])
    dense = [tensor.name for tensor in prunable(after) if zero_share(tensor) < fraction]
    return all_of(
        f"less than {fraction:g} of the weights are zero in {dense[0]}" if dense else "",
        in_place(before, after),
    )


PASS = Pass(
    name="prune",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx"}),
    parameters=PARAMETERS,
    libraries=("numpy", *_onnx.LIBRARIES),
)
