"""Conditions on an operator's attributes: strides, windows, activations, axes, masks."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_edgebudget.devices.constraints.view import Check, Options, View, by, dims, hwc


def attribute(view: View, options: Options) -> str:
    """The attribute *name* is one of *in*; absent is *default*."""
    found = view.op.attributes.get(options["name"], options.get("default"))
    if found is None or found in options["in"]:
        return ""
    return f"{options['name']} is {found}"


def stride(view: View, options: Options) -> str:
    """Strides are at most *max*; with *unpadded*, more where nothing is padded or dilated."""
    most = max(view.strides)
    if most <= options["max"]:
        return ""
    if options.get("unpadded") and view.dilation == (1, 1) and not _padded(view):
        return ""
    return f"stride {by(view.strides)}"


def _padded(view: View) -> bool:
    """Whether zeros are added at the borders: by SAME padding of sizes that need it."""
    if view.op.attributes.get("padding") != "SAME":
        return False
    kernel, given, made = view.kernel, hwc(view.ifm), hwc(view.ofm)
    if kernel is None or given is None or made is None:
        return True
    needed = [
        (out - 1) * step + size - into
        for out, step, size, into in zip(made, view.strides, kernel, given, strict=False)
    ]
    return max(needed) > 0


def window(view: View, options: Options) -> str:
    """The window is at most *height* x *width*, its product at most *product*; *padding* only."""
    kernel = view.kernel
    if kernel is None or options.get("padding", "") not in ("", view.op.attributes.get("padding")):
        return ""
    limits = options.get("height"), options.get("width"), options.get("product")
    sizes = kernel[0], kernel[1], kernel[0] * kernel[1]
    over = any(
        limit is not None and size > limit for size, limit in zip(sizes, limits, strict=True)
    )
    return f"window {by(kernel)}" if over else ""


def unit_window(view: View, options: Options) -> str:
    """A 1x1 window has stride 1."""
    del options
    moved = view.kernel == (1, 1) and max(view.strides) > 1
    return f"window 1x1 with stride {by(view.strides)}" if moved else ""


def transposed_stride(view: View, options: Options) -> str:
    """Strides of a transposed convolution: 1x1, 2x2, or 2 along the only axis longer than 1."""
    del options
    pair, given, kernel = view.strides, hwc(view.ifm), view.kernel
    flat = given is not None and kernel is not None
    if pair in ((1, 1), (2, 2)):
        return ""
    if flat and given and kernel:
        if pair == (1, 2) and given[0] == kernel[0] == 1:
            return ""
        if pair == (2, 1) and given[1] == kernel[1] == 1:
            return ""
    return f"stride {by(pair)}"


def values(view: View, options: Options) -> str:
    """The constant input *of* is one of the lists *in* (negative axes count from the end)."""
    found, given = view.integers(options["of"]), dims(view.ifm)
    if found is None or given is None:
        return ""
    rank = len(given)
    axes = sorted(n + rank if n < 0 else n for n in found) if options.get("axes") else list(found)
    return "" if axes in options["in"] else f"it has {list(found)}"


def values_within(view: View, options: Options) -> str:
    """All values of the constant input *of* lie in *min*..*max*."""
    found = view.integers(options["of"])
    if found is None:
        return ""
    low, high = options.get("min"), options.get("max")
    bad = [n for n in found if (low is not None and n < low) or (high is not None and n > high)]
    return f"it has {bad[0]}" if bad else ""


def same_dilation(view: View, options: Options) -> str:
    """The dilation is the same in height and width."""
    del options
    height, width = view.dilation
    return f"dilation {by(view.dilation)}" if height != width else ""


def axis(view: View, options: Options) -> str:
    """The axis (an attribute, or the constant input *of*) is *at* (-1: the last)."""
    given = dims(view.ifm)
    found = view.integers(options["of"]) if "of" in options else (view.number("axis"),)
    if not given or found is None or not found:
        return ""
    wanted = options["at"] % len(given)
    bad = [n for n in found if n % len(given) != wanted]
    return f"axis {bad[0]} of {by(given)}" if bad else ""


def not_axis(view: View, options: Options) -> str:
    """None of the axes (an attribute, or the constant input *of*) is *at*."""
    given = dims(view.ifm)
    found = view.integers(options["of"]) if "of" in options else (view.number("axis"),)
    if not given or found is None or len(given) < options.get("rank", 1):
        return ""
    return f"axes {list(found)}" if any(n % len(given) == options["at"] for n in found) else ""


def count(view: View, options: Options) -> str:
    """There are *min* to *max* inputs, or outputs (*of*)."""
    number = len(view.op.inputs if options["of"] == "inputs" else view.op.outputs)
    within = options.get("min", 0) <= number <= options.get("max", number)
    return "" if within else f"it has {number}"


CHECKS: Mapping[str, Check] = {
    "attribute": attribute,
    "stride": stride,
    "window": window,
    "unit-window": unit_window,
    "transposed-stride": transposed_stride,
    "values": values,
    "values-within": values_within,
    "same-dilation": same_dilation,
    "axis": axis,
    "not-axis": not_axis,
    "count": count,
}
