"""Versions of arithmetic and of ops that move data (see `tflite_versions`)."""

from __future__ import annotations

from collections.abc import Callable

from pytest_edgebudget.graph.tflite_version_use import FEW_DIMENSIONS, Use

# --- arithmetic ------------------------------------------------------------------


def add(use: Use) -> int:
    """ADD."""
    first = use.tensor(0)
    if use.type(0) == "int16" and first is not None:
        if first.quantization is None:
            return 5
        return 1 if use.op.attributes.get("pot_scale_int16", True) else 3
    return {"float16": 6, "int64": 4, "int8": 2}.get(use.type(0), 1)


def sub(use: Use) -> int:
    """SUB."""
    if use.types() == {"int16"} and not use.op.attributes.get("pot_scale_int16", True):
        return 5
    if use.type(0) == "int64":
        return 4
    return 3 if use.wide_broadcast() else 2 if use.type(0) == "int8" else 1


def mul(use: Use) -> int:
    """MUL."""
    first, second, output = use.tensor(0), use.tensor(1), use.output()
    scales = [t.quantization.scales[0] for t in (first, second, output) if t and t.quantization]
    if use.type(0) == "int16":
        unquantized = not any(t and t.quantization for t in (first, second))
        return 7 if unquantized else 4
    known = {"float16": 8, "uint32": 7, "complex64": 6, "int64": 5}.get(use.type(0), 1)
    if known == 1 and len(scales) == 3 and scales[2] and scales[0] * scales[1] >= scales[2]:
        return 3
    return max(known, 2 if use.type(0) == "int8" else 1)


def divide(use: Use) -> int:
    """DIV."""
    return 2 if use.wide_broadcast() else 1


def extreme(use: Use) -> int:
    """MAXIMUM and MINIMUM."""
    if use.types() == {"int16"}:
        return 4
    return 3 if use.wide_broadcast() else 2 if use.type(0) == "int8" else 1


def absolute(use: Use) -> int:
    """ABS."""
    first = use.tensor(0)
    if use.type(0) == "int16":
        return 3 if first is not None and first.quantization else 4
    return {"int32": 5, "int8": 2, "uint8": 2}.get(use.type(0), 1)


# --- moving data -----------------------------------------------------------------


def gather(use: Use) -> int:
    """GATHER."""
    if use.type(0) == "int4":
        return 7
    if use.type(1) == "int16":
        return 6
    if use.has("batch_dims"):
        return 5
    return {"int16": 4, "bool": 3, "int8": 2}.get(use.type(0), 1)


def gather_nd(use: Use) -> int:
    """GATHER_ND."""
    if use.type(0) == "bool":
        return 5
    return 4 if use.type(1) == "int16" else {"int16": 3, "string": 2}.get(use.type(0), 1)


def transpose(use: Use) -> int:
    """TRANSPOSE."""
    by_type = {"float16": 9, "bfloat16": 8, "int4": 7, "int16": 5, "bool": 3, "int8": 2}
    by_rank = {5: 4, 6: 6}.get(use.rank(0), 8 if use.rank(0) > 6 else 1)
    return max(by_type.get(use.type(0), 1), by_rank)


def slice_(use: Use) -> int:
    """SLICE."""
    by_type = {"float16": 8, "int4": 7, "uint32": 6, "int16": 4, "string": 3, "int8": 2}
    return max(by_type.get(use.type(0), 1), 5 if use.rank(0) > FEW_DIMENSIONS else 1)


def strided_slice(use: Use) -> int:
    """STRIDED_SLICE."""
    if use.has("offset"):
        return 8
    by_type = {"uint32": 7, "string": 5, "bool": 3, "int8": 2}.get(use.type(0), 1)
    masks = 6 if use.has("ellipsis_mask") or use.has("new_axis_mask") else 1
    return max(by_type, masks, 4 if use.rank(0) > FEW_DIMENSIONS else 1)


def pad(use: Use) -> int:
    """PAD and PADV2."""
    by_type = {"bool": 5, "int16": 3, "int8": 2}.get(use.type(0), 1)
    return max(by_type, 4 if use.rank(0) > FEW_DIMENSIONS else 1)


def space_batch(use: Use) -> int:
    """SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND."""
    if use.type(0) == "int16":
        return 4
    return 3 if use.rank(0) != FEW_DIMENSIONS else 2 if use.type(0) == "int8" else 1


def resize(use: Use) -> int:
    """RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR."""
    if use.type(0) == "int16":
        return 4
    corners = use.op.kind == "RESIZE_NEAREST_NEIGHBOR" and use.has("align_corners")
    return 3 if use.has("half_pixel_centers") or corners else 2 if use.type(0) == "int8" else 1


def select(use: Use) -> int:
    """SELECT."""
    if use.type(0) == "uint32":
        return 4
    five = 5 in (use.rank(0), use.rank(1), use.rank(2))
    return 3 if five else 2 if use.type(0) == "int8" else 1


def top_k(use: Use) -> int:
    """TOPK_V2."""
    types = {use.type(0), use.type(1), *(use.tensors[i].dtype for i in use.op.outputs[1:2])}
    if "int16" in types:
        return 3
    return 2 if use.type(0) == "int8" else 1


def update_slice(use: Use) -> int:
    """DYNAMIC_UPDATE_SLICE."""
    known = {"bfloat16": 6, "int4": 5, "int16": 4, "float16": 3}.get(use.type(0), 1)
    return known if known > 1 else 2 if use.type(2) == "int64" else 1


def cast(use: Use) -> int:
    """CAST."""
    for version, names in _CASTS:
        if use.types() & names:
            return version
    return 1


_CASTS = (
    (8, {"int2", "uint4"}),
    (7, {"bfloat16"}),
    (6, {"int4"}),
    (5, {"float64", "float16"}),
    (4, {"uint16"}),
    (3, {"int8"}),
    (2, {"uint32"}),
)


def option(name: str) -> Callable[[Use], int]:
    """Version 2 when an option is set."""
    return lambda use: 2 if use.has(name) else 1
