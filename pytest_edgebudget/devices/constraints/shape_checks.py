"""Conditions on ranks and sizes of an operator's tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pytest_edgebudget.devices.constraints.view import Check, Options, View, by, dims, hwc


def static(view: View, options: Options) -> str:
    """No size of the tensors *of* is open; with *batch*, the first may be."""
    for tensor in view.named(options["of"]):
        if tensor.shape is None:
            continue
        rest = tensor.shape[1:] if options.get("batch") else tensor.shape
        if any(size < 0 for size in rest):
            return f"shape {'x'.join('?' if n < 0 else str(n) for n in tensor.shape)}"
    return ""


def rank(view: View, options: Options) -> str:
    """The tensors *of* have *min* to *max* dimensions."""
    for tensor in view.named(options["of"]):
        number = None if tensor.shape is None else len(tensor.shape)
        if number is not None and not options.get("min", 0) <= number <= options.get("max", 99):
            return f"{number} dimensions"
    return ""


def wide(view: View, options: Options) -> str:
    """Only the *last* dimensions of the tensors *of* are larger than 1."""
    for tensor in view.named(options["of"]):
        shape = dims(tensor)
        if shape is not None and any(size > 1 for size in shape[: -options["last"]]):
            return f"shape {by(shape)}"
    return ""


def batch(view: View, options: Options) -> str:
    """The first of four dimensions is 1."""
    del options
    shape = dims(view.ifm)
    big = shape is not None and len(shape) >= 4 and shape[0] > 1
    return f"batch {shape[0]}" if big and shape else ""


def depth(view: View, options: Options) -> str:
    """The last dimension of *of* is at most *max*, and a multiple of *multiple*."""
    for tensor in view.named(options["of"]):
        shape = dims(tensor)
        if not shape:
            continue
        if shape[-1] > options.get("max", math.inf) or shape[-1] % options.get("multiple", 1):
            return f"depth {shape[-1]}"
    return ""


def area(view: View, options: Options) -> str:
    """Height times width of the first map is below *below*."""
    sizes = hwc(view.ifm)
    big = sizes is not None and sizes[0] * sizes[1] >= options["below"]
    return f"{sizes[0]}x{sizes[1]}" if big and sizes else ""


def elements(view: View, options: Options) -> str:
    """The tensors *of* have at most *max* elements."""
    for tensor in view.named(options["of"]):
        number = tensor.elements
        if number is not None and number > options["max"]:
            return f"{number:,} elements"
    return ""


def same_shape(view: View, options: Options) -> str:
    """The first map in and the output have one shape."""
    del options
    given, made = dims(view.ifm), dims(view.ofm)
    unlike = given is not None and made is not None and given != made
    return f"{by(given)} goes in, {by(made)} comes out" if unlike and given and made else ""


def reduction(view: View, options: Options) -> str:
    """
    A mean is over axes below *axis* and at most *elements* by type.

    Over the depth only where height, width or depth is 1, as Ethos-U has it.
    """
    axes, shape, given = view.integers(1), dims(view.ifm), view.ifm
    if axes is None or not shape or given is None:
        return ""
    reduced = {n % len(shape) for n in axes}
    product = math.prod(shape[n] for n in reduced)
    if any(shape[n] >= options["axis"] for n in reduced):
        return f"an axis of {max(shape[n] for n in reduced)}"
    if product > options["elements"].get(given.dtype, product):
        return f"{product:,} elements are averaged"
    over_depth = len(shape) - 1 in reduced and len(shape) > 2
    return f"over the depth of {by(shape)}" if over_depth and 1 not in shape[-3:] else ""


def depth_reduction(view: View, options: Options) -> str:
    """A reduction of the last dimension is of a *multiple*."""
    axes, shape = view.integers(1), dims(view.ifm)
    if axes is None or not shape or not any(n % len(shape) == len(shape) - 1 for n in axes):
        return ""
    return f"depth {shape[-1]}" if shape[-1] % options["multiple"] else ""


def broadcast(view: View, options: Options) -> str:
    """Operands of different ranks broadcast; with *ordered*, one is the larger throughout."""
    shapes = [shape for tensor in view.maps_in[:2] if (shape := dims(tensor)) is not None]
    if len(shapes) < 2:
        return ""
    first, second = shapes
    if len(first) == len(second) and options.get("ordered"):
        pairs = list(zip(first, second, strict=True))
        if any(a < b for a, b in pairs) and any(a > b for a, b in pairs):
            return f"{by(first)} with {by(second)}"
    if 1 < len(first) != len(second) > 1:
        pairs = list(zip(first[::-1], second[::-1], strict=False))
        if any(a != b and 1 not in (a, b) for a, b in pairs):
            return f"{by(first)} with {by(second)}"
    return ""


def scale_factor(view: View, options: Options) -> str:
    """
    Resizing by one of the factors *in* (or a power of two, or up to *max*), alike in both axes.

    With *half*, by one of those only where pixel centers are halves.
    """
    given, made = hwc(view.ifm), hwc(view.ofm)
    if given is None or made is None or given == made or given[:2] == (1, 1):
        return ""
    aligned = bool(view.op.attributes.get("align_corners"))
    half = bool(view.op.attributes.get("half_pixel_centers"))
    factors = [_factor(a, b, aligned) for a, b in zip(given[:2], made[:2], strict=True)]
    known = [f for f, a in zip(factors, given[:2], strict=True) if f != 1 or a != 1]
    allowed = options.get("half", options.get("in")) if half else options.get("in")
    if len(set(known)) > 1:
        return f"factors {factors[0]:g} and {factors[1]:g}"
    factor = known[0] if known else 1.0
    if allowed and factor not in allowed:
        return f"factor {factor:g}" + (" with half-pixel centers" if half else "")
    if options.get("power") and not (factor >= 1 and math.log2(factor).is_integer()):
        return f"factor {factor:g}"
    most = options.get("max_aligned" if aligned else "max", math.inf)
    return f"factor {factor:g}" if factor > most else ""


def _factor(given: int, made: int, aligned: bool) -> float:
    if aligned and given > 1 and made > 1:
        return (made - 1) / (given - 1)
    return made / given


CHECKS: Mapping[str, Check] = {
    "static": static,
    "rank": rank,
    "wide": wide,
    "batch": batch,
    "depth": depth,
    "area": area,
    "elements": elements,
    "same-shape": same_shape,
    "reduction": reduction,
    "depth-reduction": depth_reduction,
    "broadcast": broadcast,
    "scale-factor": scale_factor,
}
