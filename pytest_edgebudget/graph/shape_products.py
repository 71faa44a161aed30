"""
Output shapes of ONNX matrix products and recurrent layers.

Source: https://onnx.ai/onnx/operators/ (Gemm, MatMul, LSTM).
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_edgebudget.graph.shape_view import Shape, ShapeRule, ShapeRules, View, broadcast


def _gemm(a: int = 0, b: int = 1) -> ShapeRule:
    def rule(view: View) -> Sequence[Shape | None]:
        left, right = view.shape(a), view.shape(b)
        if left is None or right is None:
            return (None,)
        rows = left[1] if view.integer("transA", 0) else left[0]
        return ((rows, right[0] if view.integer("transB", 0) else right[1]),)

    return rule


def _product(a: int = 0, b: int = 1) -> ShapeRule:
    """MatMul and its quantized kin, as NumPy's matmul."""

    def rule(view: View) -> Sequence[Shape | None]:
        return (matmul(view.shape(a), view.shape(b)),)

    return rule


def matmul(left: Shape | None, right: Shape | None) -> Shape | None:
    """The shape of a matrix product; vectors gain a dimension that is dropped again."""
    if not left or not right:
        return None
    a, b = (1, *left) if len(left) == 1 else left, (*right, 1) if len(right) == 1 else right
    batch = broadcast(a[:-2], b[:-2])
    if batch is None:
        return None
    rows = () if len(left) == 1 else (a[-2],)
    return (*batch, *rows, *(() if len(right) == 1 else (b[-1],)))


def _recurrent(view: View) -> Sequence[Shape | None]:
    """LSTM, GRU, RNN: Y, Y_h and (LSTM) Y_c."""
    x, r = view.shape(0), view.shape(2)
    if x is None or r is None:
        return (None,) * len(view.op.outputs)
    directions, hidden = r[0], r[2]
    if view.integer("layout", 0):
        batch, steps = x[0], x[1]
        state = (batch, directions, hidden)
        return ((batch, steps, directions, hidden), state, state)
    steps, batch = x[0], x[1]
    state = (directions, batch, hidden)
    return ((steps, directions, batch, hidden), state, state)


RULES: ShapeRules = {
    "Gemm": _gemm(),
    "com.microsoft:FusedGemm": _gemm(),
    "com.microsoft:QGemm": _gemm(0, 3),
    "MatMul": _product(),
    "MatMulInteger": _product(),
    "QLinearMatMul": _product(0, 3),
    "com.microsoft:DynamicQuantizeMatMul": _product(),
    "com.microsoft:MatMulIntegerToFloat": _product(),
    **dict.fromkeys(("LSTM", "GRU", "RNN", "com.microsoft:DynamicQuantizeLSTM"), _recurrent),
}
