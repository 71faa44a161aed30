"""``cluster(16)``: each layer's weights share a few values."""

from __future__ import annotations

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes import _onnx
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._checks import all_of
from pytest_edgebudget.passes._clusters import clustered, distinct
from pytest_edgebudget.passes._magnitude import prunable, zero_share
from pytest_edgebudget.passes._rewrite import in_place, rewrite
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.types import Step

PARAMETERS = (
    Parameter(
        name="centroids",
        type=int,
        help="so many different values are left in each layer",
        minimum=2,
        maximum=256,
    ),
)


def apply(job: Job) -> None:
    """
    Let the weights of each layer share a few values: a smaller download.

    Needs no data. Each weight becomes the nearest of so many centroids, found by
    k-means; weights that are zero stay zero, and depthwise convolutions stay whole.
    The file keeps its size and the model its speed and memory: few values compress
    well (see download_size). Works on float32, float16 and symmetric int8 weights:
    quantize first, `int8+cluster(32)`, since quantizing makes different values of
    one again, a scale for each channel.
    """
    count = int(arguments(job.step, PARAMETERS)["centroids"])
    rewrite(job, lambda tensor: clustered(tensor, count))


def check(before: Graph, after: Graph, step: Step) -> str:
    """At most so many values in each layer, no zero lost, dtypes and size as before."""
    count = int(arguments(step, PARAMETERS)["centroids"])
    many = [tensor.name for tensor in prunable(after) if distinct(tensor) > count]
    pairs = zip(prunable(before), prunable(after), strict=False)
    lost = [new.name for old, new in pairs if zero_share(new) < zero_share(old)]
    return all_of(
        f"more than {count} different weights in {many[0]}" if many else "",
        f"zeros became other values in {lost[0]}" if lost else "",
        in_place(before, after),
    )


PASS = Pass(
    name="cluster",
    apply=apply,
    check=check,
    formats=frozenset({"tflite", "onnx"}),
    parameters=PARAMETERS,
    libraries=("numpy", *_onnx.LIBRARIES),
)
