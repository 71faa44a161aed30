"""``prune(0.3)``: the smallest weights become zero."""

from __future__ import annotations

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph, read
from pytest_edgebudget.passes import _onnx
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of, interface, same_dtypes
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes._magnitude import prunable, pruned, zero_share
from pytest_edgebudget.passes._rewrite import rewrite
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
    load("numpy", f"the pass {job.step.name}")
    fraction = float(arguments(job.step, PARAMETERS)["fraction"])
    found = tuple(prunable(read(job.model)))
    if not found:
        raise BuildError(f"{job.step} finds no float or symmetric int8 weights in the model")
    rewrite(job, found, lambda tensor: pruned(tensor, fraction))


def check(before: Graph, after: Graph, step: Step) -> str:
    """The share of zeros in each layer, all dtypes as before, no byte more in `.tflite`."""
    fraction = float(arguments(step, PARAMETERS)["fraction"])
    dense = [tensor.name for tensor in prunable(after) if zero_share(tensor) < fraction]
    grown = after.format == "tflite" and after.size != before.size
    return all_of(
        f"less than {fraction:g} of the weights are zero in {dense[0]}" if dense else "",
        "the file changed its size" if grown else "",
        same_dtypes(before, after),
        interface(before, after),
    )


PASS = Pass(
    name="prune",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx"}),
    parameters=PARAMETERS,
    libraries=("numpy", *_onnx.LIBRARIES),
)
