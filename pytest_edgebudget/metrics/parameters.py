"""`parameters`: how many numbers the model has learnt."""

from __future__ import annotations

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.cost import largest, layer_costs
from pytest_edgebudget.metrics.base import STATIC, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit


def read_parameters(graph: Graph, options: Options) -> Value:
    """
    Number of weights and biases that are stored in the file.

    Unit: a count. Lower is better. Exact: elements of the constants that are
    floats or quantized numbers, whatever their precision and whether zero or
    not. Weights that several layers share count once, at the first. Shapes,
    axes, paddings, quantization scales and zero points, and single numbers of
    elementwise ops (a rescaling, a clipping value) are not parameters.

    A converter folds batch normalization into the convolution before it: the
    file then has fewer parameters than the model that was trained.
    """
    costs = layer_costs(graph)
    total = sum(cost.parameters for cost in costs)
    return Value(total, layers=largest(costs, "parameters"))


METRIC = Metric(
    name="parameters",
    unit=Unit.COUNT,
    better=Better.LOWER,
    needs=Graph,
    read=read_parameters,
    accepts=STATIC,
    additive=True,
    exact=True,
)
