"""
Output shapes of ONNX ops that move, join or reduce data.

Source: https://onnx.ai/onnx/operators/, one page an op.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_edgebudget.graph.shape_view import Shape, ShapeRule, ShapeRules, View, broadcast, size

Shapes = Sequence[Shape | None]


def _same(view: View) -> Shapes:
    return (view.shape(0),)  # further outputs (a mask, statistics) are other shapes


def _quantize_dynamically(view: View) -> Shapes:
    return (view.shape(0), (), ())


def _broadcast_of(*indices: int) -> ShapeRule:
    """Elementwise ops; without *indices* all inputs take part."""

    def rule(view: View) -> Shapes:
        return (broadcast(*(view.shape(i) for i in indices or range(len(view.op.inputs)))),)

    return rule


def _flatten(view: View) -> Shapes:
    x = view.shape(0)
    if x is None:
        return (None,)
    axis = view.integer("axis", 1)
    axis += len(x) if axis < 0 else 0
    return ((size(x[:axis]), size(x[axis:])),)


def _reshape(view: View) -> Shapes:
    x, target = view.shape(0), view.values(1)
    if "shape" in view.op.attributes:  # before operator set 5
        target = view.integers("shape")
    if target is None:
        return (None,)
    keep = not view.integer("allowzero", 0)
    dims = [_kept(x, i) if n == 0 and keep else n for i, n in enumerate(target)]
    if -1 not in dims:
        return (tuple(-1 if n is None else n for n in dims),)
    rest = [n for n in dims if n != -1]
    whole = size(x) if x is not None else -1
    known = None if None in rest else size([n for n in rest if n is not None])
    free = whole // known if whole >= 0 and known is not None and known > 0 else -1
    return (tuple(free if n == -1 else -1 if n is None else n for n in dims),)


def _kept(x: Shape | None, axis: int) -> int | None:
    if x is None or axis >= len(x) or x[axis] < 0:
        return None
    return x[axis]


def _transpose(view: View) -> Shapes:
    x = view.shape(0)
    if x is None:
        return (None,)
    order = view.integers("perm", range(len(x) - 1, -1, -1))
    return (tuple(x[axis] for axis in order),)


def _concat(view: View) -> Shapes:
    shapes = [view.shape(i) for i in range(len(view.op.inputs))]
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes):
        return (None,)
    axis = view.integer("axis", 0) % len(known[0])
    joined = [shape[axis] for shape in known]
    rest = broadcast(*((*shape[:axis], 1, *shape[axis + 1 :]) for shape in known))
    if rest is None:
        return (None,)
    return ((*rest[:axis], -1 if min(joined) < 0 else sum(joined), *rest[axis + 1 :]),)


def _squeeze(view: View) -> Shapes:
    x, axes = view.shape(0), view.axes(1)
    if x is None or axes is None or (not axes and -1 in x):
        return (None,)
    gone = {axis % len(x) for axis in axes} or {i for i, n in enumerate(x) if n == 1}
    return (tuple(n for i, n in enumerate(x) if i not in gone),)


def _unsqueeze(view: View) -> Shapes:
    x, axes = view.shape(0), view.axes(1)
    if x is None or axes is None:
        return (None,)
    rank = len(x) + len(axes)
    new, old = {axis % rank for axis in axes}, iter(x)
    if len(new) < len(axes):
        return (None,)
    return (tuple(1 if i in new else next(old) for i in range(rank)),)


def _pad(view: View) -> Shapes:
    x = view.shape(0)
    pads = view.integers("pads") if "pads" in view.op.attributes else view.constant(1)
    if x is None or pads is None or view.given(3) or len(pads) != 2 * len(x):
        return (None,)
    sums = zip(x, pads[: len(x)], pads[len(x) :], strict=True)
    return (tuple(n if n < 0 else n + before + after for n, before, after in sums),)


def _gather(view: View) -> Shapes:
    x, indices = view.shape(0), view.shape(1)
    if not x or indices is None:
        return (None,)
    axis = view.integer("axis", 0) % len(x)
    return ((*x[:axis], *indices, *x[axis + 1 :]),)


def _reduce(view: View) -> Shapes:
    x, axes = view.shape(0), view.axes(1)
    if x is None or axes is None:
        return (None,)
    if not axes and view.integer("noop_with_empty_axes", 0):
        return (x,)
    gone = {axis % len(x) for axis in axes} or set(range(len(x)))
    return (_reduced(x, gone, keep=bool(view.integer("keepdims", 1))),)


def _arg_reduce(view: View) -> Shapes:
    x = view.shape(0)
    if not x:
        return (None,)
    gone = {view.integer("axis", 0) % len(x)}
    return (_reduced(x, gone, keep=bool(view.integer("keepdims", 1))),)


def _reduced(x: Shape, gone: set[int], *, keep: bool) -> Shape:
    if keep:
        return tuple(1 if i in gone else n for i, n in enumerate(x))
    return tuple(n for i, n in enumerate(x) if i not in gone)


def _slice(view: View) -> Shapes:
    x, starts, ends = view.shape(0), view.constant(1), view.constant(2)
    if "starts" in view.op.attributes:  # before operator set 10
        starts, ends = view.integers("starts"), view.integers("ends")
    axes = view.axes(3)
    steps = view.constant(4) if view.given(4) else (1,) * len(starts or ())
    if x is None or starts is None or ends is None or axes is None or steps is None:
        return (None,)
    result = list(x)
    for axis, start, end, step in zip(axes or range(len(starts)), starts, ends, steps, strict=True):
        n = x[axis]
        result[axis] = -1 if n < 0 else len(range(*slice(start, end, step).indices(n)))
    return (tuple(result),)


def _split(view: View) -> Shapes:
    x, count = view.shape(0), len(view.op.outputs)
    parts = view.integers("split") or (view.constant(1) if view.given(1) else None)
    if not x:
        return (None,) * count
    axis = view.integer("axis", 0) % len(x)
    if parts is None:
        each = -(-x[axis] // count)
        last = x[axis] - each * (count - 1)
        parts = (-1,) * count if x[axis] < 0 else (*((each,) * (count - 1)), last)
    return tuple((*x[:axis], part, *x[axis + 1 :]) for part in parts)


def _expand(view: View) -> Shapes:
    target = view.values(1)
    wanted = None if target is None else tuple(-1 if n is None else n for n in target)
    return (broadcast(view.shape(0), wanted),)


def _resize(view: View) -> Shapes:
    x, sizes = view.shape(0), view.constant(3)
    return (sizes if x is not None and sizes and len(sizes) == len(x) else None,)


def _filled(view: View) -> Shapes:
    target = view.values(0)
    return (None if target is None else tuple(-1 if n is None else n for n in target),)


def _rank(view: View) -> Shapes:
    x = view.shape(0)
    return (None if x is None else (len(x),),)


def _depth_to_space(view: View) -> Shapes:
    x, block = view.shape(0), view.integer("blocksize", 1)
    if x is None:
        return (None,)
    n, c, h, w = x
    return ((n, c // block**2 if c >= 0 else -1, *(s * block if s >= 0 else -1 for s in (h, w))),)


_UNARY = """
    Abs Acos Asin Atan BatchNormalization BitwiseNot Cast CastLike Ceil Celu Clip Cos CumSum
    DequantizeLinear Dropout Elu Erf Exp Floor Gelu GroupNormalization
    HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsNaN LRN LayerNormalization
    LeakyRelu Log LogSoftmax LpNormalization MeanVarianceNormalization Mish Neg Not PRelu
    QuantizeLinear RMSNormalization Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Softmax
    Softplus Softsign Sqrt Tan Tanh ThresholdedRelu Trilu com.microsoft:DequantizeLinear
    com.microsoft:Gelu com.microsoft:QLinearLeakyRelu com.microsoft:QLinearSigmoid
    com.microsoft:QLinearSoftmax com.microsoft:QuantizeLinear
""".split()  # noqa: SIM905

_ELEMENTWISE = """
    Add And BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max
    Mean Min Mod Mul Or Pow Sub Sum Where Xor
""".split()  # noqa: SIM905

_REDUCTIONS = """
    ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
    ReduceSum ReduceSumSquare
""".split()  # noqa: SIM905

RULES: ShapeRules = {
    **dict.fromkeys(_UNARY, _same),
    **dict.fromkeys(_ELEMENTWISE, _broadcast_of()),
    **dict.fromkeys(_REDUCTIONS, _reduce),
    **dict.fromkeys(("com.microsoft:QLinearAdd", "com.microsoft:QLinearMul"), _broadcast_of(0, 3)),
    **dict.fromkeys(("ArgMax", "ArgMin"), _arg_reduce),
    "Concat": _concat,
    "ConstantOfShape": _filled,
    "DepthToSpace": _depth_to_space,
    "DynamicQuantizeLinear": _quantize_dynamically,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Pad": _pad,
    "Reshape": _reshape,
    "Resize": _resize,
    "Shape": _rank,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
