"""Graphs of one op each, for the ops that the larger graphs leave out."""

from __future__ import annotations

from collections.abc import Callable

from static_builder import File, Net, options

Maker = Callable[[], bytes]
ONE_OP: dict[str, Maker] = {}

SHAPE = [1, 3, 5, 7]

UNARY = "ABS CEIL COS ELU EXP FLOOR HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOG LOGISTIC LOG_SOFTMAX"
UNARY += " NEG RELU RELU6 ROUND RSQRT SIN SQRT SQUARE TANH ZEROS_LIKE"
BINARY = "ADD DIV FLOOR_DIV FLOOR_MOD MAXIMUM MINIMUM MUL PRELU SQUARED_DIFFERENCE SUB"
COMPARING = "EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL NOT_EQUAL"
OPTIONS = {
    "ADD": "Add", "DIV": "Div", "LEAKY_RELU": "LeakyRelu", "L2_NORMALIZATION": "L2Norm",
    "MUL": "Mul", "SUB": "Sub", "SQUARED_DIFFERENCE": "SquaredDifference",
}  # fmt: skip


def one_op(kind: str) -> Callable[[Callable[[Net], int]], Callable[[Net], int]]:
    def register(build: Callable[[Net], int]) -> Callable[[Net], int]:
        ONE_OP[kind] = lambda: _pack(build)
        return build

    return register


def _pack(build: Callable[[Net], int]) -> bytes:
    file = File(seed=1)
    net = file.graph("FLOAT32")
    net.outputs = [build(net)]
    return file.pack()


def _options(kind: str) -> object:
    return options(OPTIONS[kind]) if kind in OPTIONS else None


def _simple(kind: str, count: int, dtype: str = "FLOAT32", out: str = "FLOAT32") -> None:
    @one_op(kind)
    def build(net: Net) -> int:
        xs = [net.input(SHAPE, dtype) for _ in range(count)]
        return net.op(kind, xs, SHAPE, options=_options(kind), dtype=out)


for name in UNARY.split():
    _simple(name, 1)
for name in BINARY.split():
    _simple(name, 2)
for name in COMPARING.split():
    _simple(name, 2, out="BOOL")
for name in ("LOGICAL_AND", "LOGICAL_OR"):
    _simple(name, 2, "BOOL", "BOOL")
_simple("LOGICAL_NOT", 1, "BOOL", "BOOL")


@one_op("ARG_MAX")
def arg_max(net: Net) -> int:
    x = net.input(SHAPE)
    return net.op("ARG_MAX", [x, net.numbers([3], shape=[])], [1, 3, 5], dtype="INT32",
                  options=options("ArgMax", outputType=2))  # fmt: skip


@one_op("ARG_MIN")
def arg_min(net: Net) -> int:
    x = net.input(SHAPE)
    return net.op("ARG_MIN", [x, net.numbers([3], shape=[])], [1, 3, 5], dtype="INT32",
                  options=options("ArgMin", outputType=2))  # fmt: skip


@one_op("SPACE_TO_BATCH_ND")
def space_to_batch(net: Net) -> int:
    x = net.input([1, 4, 6, 3])
    inputs = [x, net.numbers([2, 2]), net.numbers([0, 0, 0, 0], shape=[2, 2])]
    return net.op("SPACE_TO_BATCH_ND", inputs, [4, 2, 3, 3], options=options("SpaceToBatchND"))


@one_op("BATCH_TO_SPACE_ND")
def batch_to_space(net: Net) -> int:
    x = net.input([4, 2, 3, 3])
    inputs = [x, net.numbers([2, 2]), net.numbers([0, 0, 0, 0], shape=[2, 2])]
    return net.op("BATCH_TO_SPACE_ND", inputs, [1, 4, 6, 3], options=options("BatchToSpaceND"))


@one_op("BROADCAST_TO")
def broadcast_to(net: Net) -> int:
    x = net.input([1, 1, 5, 7])
    return net.op("BROADCAST_TO", [x, net.numbers([2, 3, 5, 7])], [2, 3, 5, 7],
                  options=options("BroadcastTo"))  # fmt: skip


@one_op("BROADCAST_ARGS")
def broadcast_args(net: Net) -> int:
    a, b = net.input([4], "INT32"), net.input([3], "INT32")
    return net.op("BROADCAST_ARGS", [a, b], [4], dtype="INT32")


@one_op("CAST")
def cast(net: Net) -> int:
    return net.op("CAST", [net.input(SHAPE)], SHAPE, dtype="INT32", options=options("Cast"))


@one_op("CUMSUM")
def cumsum(net: Net) -> int:
    x = net.input(SHAPE)
    return net.op("CUMSUM", [x, net.numbers([2], shape=[])], SHAPE, options=options("Cumsum"))


@one_op("QUANTIZE")
def quantize(net: Net) -> int:
    return net.op("QUANTIZE", [net.input(SHAPE)], SHAPE, dtype="INT8", options=options("Quantize"))


@one_op("DEQUANTIZE")
def dequantize(net: Net) -> int:
    x = net.input(SHAPE, "INT8")
    return net.op("DEQUANTIZE", [x], SHAPE, options=options("Dequantize"))


@one_op("DYNAMIC_UPDATE_SLICE")
def dynamic_update_slice(net: Net) -> int:
    inputs = [net.input([6, 8]), net.input([2, 8]), net.input([2], "INT32")]
    return net.op("DYNAMIC_UPDATE_SLICE", inputs, [6, 8])


@one_op("EMBEDDING_LOOKUP")
def embedding_lookup(net: Net) -> int:
    return net.op("EMBEDDING_LOOKUP", [net.input([5], "INT32"), net.weights([9, 12])], [5, 12])


@one_op("FILL")
def fill(net: Net) -> int:
    return net.op("FILL", [net.numbers([3, 40]), net.input([])], [3, 40], options=options("Fill"))


@one_op("GATHER_ND")
def gather_nd(net: Net) -> int:
    return net.op("GATHER_ND", [net.input([4, 30]), net.input([3, 1], "INT32")], [3, 30],
                  options=options("GatherNd"))  # fmt: skip


@one_op("PADV2")
def padv2(net: Net) -> int:
    amounts = net.numbers([0, 0, 1, 2, 3, 0, 0, 0], shape=[4, 2])
    return net.op("PADV2", [net.input([1, 9, 9, 3]), amounts, net.input([1])], [1, 12, 12, 3],
                  options=options("PadV2"))  # fmt: skip


@one_op("REVERSE_V2")
def reverse(net: Net) -> int:
    return net.op("REVERSE_V2", [net.input(SHAPE), net.numbers([2])], SHAPE,
                  options=options("ReverseV2"))  # fmt: skip


@one_op("SELECT_V2")
def select(net: Net) -> int:
    inputs = [net.input(SHAPE, "BOOL"), net.input(SHAPE), net.input(SHAPE)]
    return net.op("SELECT_V2", inputs, SHAPE, options=options("SelectV2"))


@one_op("SHAPE")
def shape(net: Net) -> int:
    return net.op(
        "SHAPE", [net.input(SHAPE)], [4], dtype="INT32", options=options("Shape", outType=2)
    )


@one_op("L2_POOL_2D")
def l2_pool(net: Net) -> int:
    return net.pool(net.input([1, 8, 8, 3]), 2, "L2_POOL_2D")


@one_op("REDUCE_ALL")
def reduce_all(net: Net) -> int:
    x = net.input(SHAPE, "BOOL")
    return net.op("REDUCE_ALL", [x, net.numbers([1, 2])], [1, 7], dtype="BOOL",
                  options=options("Reducer"))  # fmt: skip
