"""Conditions on types, constants and quantization of an operator's tensors."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_edgebudget.devices.constraints.view import Check, Options, View
from pytest_edgebudget.graph.ir import Tensor


def dtype(view: View, options: Options) -> str:
    """The tensors *of* are of one of the types *in*; *when* the first map has one of those."""
    if not _when(view, options):
        return ""
    for tensor in view.named(options["of"]):
        if tensor.dtype and tensor.dtype not in options["in"]:
            return f"{_name(tensor)} is {tensor.dtype}"
    return ""


def dtypes(view: View, options: Options) -> str:
    """Types of the tensors *of*, in order, are one of the lists *in*."""
    found = [tensor.dtype for name in options["of"] for tensor in view.named(name)]
    if not all(found) or len(found) < len(options["of"]):
        return ""
    known = any(
        all(have in want.split("|") for have, want in zip(found, row, strict=True))
        for row in options["in"]
    )
    return "" if known else f"it has {', '.join(found)}"


def constant(view: View, options: Options) -> str:
    """The inputs *of* are stored in the file, or left out."""
    for tensor in view.named(options["of"]):
        if tensor.data is None and not tensor.sparse:
            return f"{_name(tensor)} is computed"
    return ""


def computed(view: View, options: Options) -> str:
    """The inputs *of* are not stored in the file."""
    for tensor in view.named(options["of"]):
        if tensor.data is not None:
            return f"{_name(tensor)} is a constant"
    return ""


def zeros_only(view: View, options: Options) -> str:
    """A constant among the inputs holds zeros only, and there are two inputs."""
    del options
    for tensor in view.named("inputs"):
        if tensor.data is None:
            continue
        points = tensor.quantization.zero_points if tensor.quantization else ()
        zero = bytes([(points[0] if points else 0) & 0xFF])
        if len(view.op.inputs) != 2 or bytes(tensor.data).strip(zero):
            return f"{_name(tensor)} is a constant"
    return ""


def present(view: View, options: Options) -> str:
    """The input *of* is there."""
    return "" if view.named(options["of"]) else "there is none"


def absent(view: View, options: Options) -> str:
    """None of the inputs from *first* to *last* is there."""
    span = range(options["first"], options["last"] + 1)
    used = [position for position in span if view.input(position) is not None]
    return f"inputs {', '.join(map(str, used))} are used" if used else ""


def quantized(view: View, options: Options) -> str:
    """All tensors *of* have scales, all positive."""
    for tensor in (t for name in options["of"] for t in view.named(name)):
        if tensor.dtype in ("bool", "resource", "int64") or not tensor.dtype:
            continue
        if tensor.quantization is None or not tensor.quantization.scales:
            return f"{_name(tensor)} has no scale"
        if min(tensor.quantization.scales) <= 0:
            return f"{_name(tensor)} has a scale of {min(tensor.quantization.scales):g}"
    return ""


def per_tensor(view: View, options: Options) -> str:
    """The tensors *of* have one scale each."""
    for tensor in view.named(options["of"]):
        scales = tensor.quantization.scales if tensor.quantization else ()
        if len(scales) > 1:
            return f"{_name(tensor)} has {len(scales)} scales"
    return ""


def same_quantization(view: View, options: Options) -> str:
    """Feature maps in have the scale and zero point of the output."""
    del options
    out = view.ofm.quantization if view.ofm else None
    if out is None:
        return ""
    for tensor in view.maps_in:
        given = tensor.quantization
        if given is not None and (given.scales, given.zero_points) != (out.scales, out.zero_points):
            return f"{_name(tensor)} has a scale of its own"
    return ""


def same_dtype(view: View, options: Options) -> str:
    """The first map in and the output are of one type, of those *in*."""
    pair = [t.dtype for t in (view.ifm, view.ofm) if t is not None and t.dtype]
    allowed = options.get("in")
    if len(set(pair)) > 1:
        return f"{pair[0]} goes in, {pair[1]} comes out"
    return f"it is {pair[0]}" if pair and allowed and pair[0] not in allowed else ""


def version(view: View, options: Options) -> str:
    """The operator's version is at most *max*."""
    found = view.op.version
    return f"it is version {found}" if found > options["max"] else ""


def _when(view: View, options: Options) -> bool:
    wanted = options.get("when")
    return not wanted or (view.ifm is not None and view.ifm.dtype in wanted)


def _name(tensor: Tensor) -> str:
    return tensor.name.split(";")[0] or "a tensor"


CHECKS: Mapping[str, Check] = {
    "dtype": dtype,
    "dtypes": dtypes,
    "constant": constant,
    "computed": computed,
    "zeros-only": zeros_only,
    "present": present,
    "absent": absent,
    "quantized": quantized,
    "per-tensor": per_tensor,
    "same-quantization": same_quantization,
    "same-dtype": same_dtype,
    "version": version,
}
