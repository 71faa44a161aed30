"""Which recipes a device gains by: a microcontroller runs no float16, an Edge TPU only int8."""

from __future__ import annotations

from pytest_edgebudget.types import DeviceChoice

ANYWHERE = ("float16", "dynamic_int8", "weights_int8", "int16x8", "int8")
"""Recipes of general use that some devices do not run, or run no faster or smaller."""
FIXED_POINT = "fixed_point(16, 6, round=true, saturate=true)"

_BY_ACCELERATOR = {"edge-tpu": ("int8",), "ethos-u": ("int16x8", "int8")}
_BY_RUNTIME = {
    # Its kernels have no weights of half precision, and no hybrid convolution.
    "tflm": ("int16x8", "int8"),
    "x-cube-ai": ("int8",),
    "hls4ml": (FIXED_POINT,),
}


def recipes_of(choice: DeviceChoice) -> tuple[str, ...]:
    """Those of ANYWHERE that the device runs as they are meant; or its own ones."""
    if choice.way == "cortex-m":
        return ("int8",)
    for name, recipes in _BY_ACCELERATOR.items():
        if choice.profile.accelerator.startswith(name):
            return recipes
    return _BY_RUNTIME.get(choice.runtimes[0], ANYWHERE)
