"""
What the time of a model is estimated from: arithmetic, elements moved, weights, ops.

The same counts as those of the published data (``published/features.csv``), from
our own reading of the graph. A batch of one; constants are not moved; biases are
no weights; an op's elements are those that it reads and writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.batch import with_batch_of_one
from pytest_edgebudget.graph.constants import origins
from pytest_edgebudget.graph.cost import layer_costs
from pytest_edgebudget.graph.ir import Op, Subgraph

MACS = ("conv_macs", "conv1x1_macs", "dwconv_macs", "fc_macs", "other_macs")
MOVED = tuple(
    f"{kind}_act_elems"
    for kind in ("conv", "conv1x1", "dwconv", "fc", "elementwise", "pool", "data", "other")
)
WEIGHTS = ("weight", "fc_weight")
OVERHEAD = ("n_ops", "one")
FEATURES = MACS + MOVED + WEIGHTS + OVERHEAD
"""Names: multiply-accumulates, elements, elements of weights, ops, and 1 a model."""

_POOLS = ("POOL", "Pool", "MEAN", "ReduceMean")
_QDQ = frozenset({"QuantizeLinear", "DequantizeLinear"})
_DATA = frozenset(
    """
    BATCH_TO_SPACE_ND BROADCAST_TO CAST CONCATENATION DEPTH_TO_SPACE EXPAND_DIMS GATHER GATHER_ND
    MIRROR_PAD PACK PAD PADV2 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 SHAPE SLICE
    SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQUEEZE STRIDED_SLICE TILE TRANSPOSE UNPACK
    Cast Concat DepthToSpace Expand Flatten Gather GatherND Identity Pad Reshape Resize Shape Slice
    SpaceToDepth Split Squeeze Tile Transpose Unsqueeze Upsample
    """.split()  # noqa: SIM905
)
_ELEMENTWISE = frozenset(
    """
    ABS ADD CLIP DEQUANTIZE DIV ELU EXP GELU HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOG LOGISTIC
    LOG_SOFTMAX MAXIMUM MINIMUM MUL NEG POW PRELU QUANTIZE RELU RELU6 RELU_N1_TO_1 RSQRT SOFTMAX
    SQRT SQUARE SQUARED_DIFFERENCE SUB SUM TANH
    Abs Add BatchNormalization Clip Div Elu Erf Exp Gelu HardSigmoid HardSwish LayerNormalization
    LeakyRelu Log LogSoftmax Max Min Mul Neg PRelu Pow Relu Sigmoid Softmax Sqrt Sub Tanh
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class OpFeatures:
    """What one op has of each feature; *known* is no where its cost cannot be counted."""

    name: str
    kind: str
    counts: Mapping[str, float]
    known: bool = True


def op_features(graph: Graph) -> tuple[OpFeatures, ...]:
    """The features of each op of the main subgraph, without ops that runtimes fold away."""
    subgraph = with_batch_of_one(graph.main, graph.format)
    constant = {i for i, tensor in enumerate(subgraph.tensors) if tensor.constant}
    constant.update(origins(subgraph))
    return tuple(_features(graph, subgraph, constant))


def totals(ops: Iterable[OpFeatures]) -> dict[str, float]:
    """The features of a whole model."""
    whole = dict.fromkeys(FEATURES, 0.0)
    whole["one"] = 1.0
    for op in ops:
        for name, count in op.counts.items():
            whole[name] += count
    return whole


def published(row: Mapping[str, str]) -> dict[str, float]:
    """The features of a row of ``features.csv``."""
    size = float(row["bytes_per_element"])
    whole = {name: float(row[name]) for name in (*MACS, *MOVED, "n_ops")}
    fc = float(row["fc_weight_bytes"])
    rest = max(float(row["weight_bytes"]) - fc, 0.0)
    return {**whole, "weight": rest / size, "fc_weight": fc / size, "one": 1.0}


def _features(graph: Graph, subgraph: Subgraph, constant: set[int]) -> Iterator[OpFeatures]:
    for op, cost in zip(subgraph.ops, layer_costs(graph), strict=False):
        outputs = [i for i in op.outputs if i >= 0]
        if op.kind in _QDQ or (outputs and all(i in constant for i in outputs)):
            continue
        kind = _kind(op, subgraph, constant, cost.macs_by_kind)
        moved = [i for i in (*op.inputs, *op.outputs) if i >= 0 and i not in constant]
        counts: dict[str, float] = {f"{kind}_act_elems": _elements(subgraph, moved), "n_ops": 1.0}
        if kind in ("conv", "conv1x1", "dwconv", "fc"):
            weights = [i for i in op.inputs if i in constant and _rank(subgraph, i) > 1]
            counts["fc_weight" if kind == "fc" else "weight"] = _elements(subgraph, weights)
        if cost.macs:
            counts[f"{kind}_macs" if f"{kind}_macs" in MACS else "other_macs"] = float(cost.macs)
        yield OpFeatures(cost.name, op.kind, counts, kind != "other" and cost.macs is not None)


def _kind(op: Op, subgraph: Subgraph, constant: set[int], macs: Mapping[str, int]) -> str:
    if macs:
        counted = max(macs, key=lambda name: macs[name])
        if counted == "convolution":
            return "conv1x1" if _pointwise(op, subgraph, constant) else "conv"
        return {"depthwise": "dwconv", "fully_connected": "fc"}.get(counted, "other")
    if any(word in op.kind for word in _POOLS):
        return "pool"
    return "data" if op.kind in _DATA else "elementwise" if op.kind in _ELEMENTWISE else "other"


def _pointwise(op: Op, subgraph: Subgraph, constant: set[int]) -> bool:
    shapes = [subgraph.tensors[i].shape or () for i in op.inputs if i in constant]
    four = next((shape for shape in shapes if len(shape) == 4), ())
    kernel = four[2:] if op.kind[:4] == "Conv" else four[1:3]
    return bool(kernel) and all(size == 1 for size in kernel)


def _rank(subgraph: Subgraph, index: int) -> int:
    return len(subgraph.tensors[index].shape or ())


def _elements(subgraph: Subgraph, indices: Sequence[int]) -> float:
    return float(sum(subgraph.tensors[i].elements or 0 for i in indices))
