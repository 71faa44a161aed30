"""Which published rows are about a profile's device and runtime."""

from __future__ import annotations

from collections.abc import Mapping

DEVICES: Mapping[str, str] = {
    "raspberry-pi-2": "Raspberry Pi 2",
    "raspberry-pi-3": "Raspberry Pi 3B",
    "raspberry-pi-4": "Raspberry Pi 4B",
    "raspberry-pi-5": "Raspberry Pi 5",
    "raspberry-pi-zero-2w": "Raspberry Pi Zero 2 W",
    "jetson-nano": "Jetson Nano",
    "pixel-3-gpu": "Pixel 3",
    "stm32l4r5-tflm": "NUCLEO-L4R5ZI",
    "stm32l4r5-cubeai": "NUCLEO-L4R5ZI",
    "stm32h7a3-tflm": "NUCLEO-H7A3ZI-Q",
    "stm32h7a3-cubeai": "NUCLEO-H7A3ZI-Q",
    "stm32u575-tflm": "NUCLEO-U575ZI-Q",
    "stm32u575-cubeai": "NUCLEO-U575ZI-Q",
    "stm32f746-tflm": "DISCO-F746NG",
    "nrf52840-tflm": "",
    "stm32h743-tflm": "",
}
"""Published device of a profile; "" where only its core was published."""

RUNTIMES: Mapping[str, tuple[str, ...]] = {
    "litert": ("TFLite XNNPACK", "TFLite"),
    "tflite-runtime": ("TFLite XNNPACK", "TFLite"),
    "tflm": ("TFLM",),
    "x-cube-ai": ("X-CUBE-AI",),
    "ncnn": ("ncnn",),
}
"""What a runtime is called in the published rows, the likeliest first."""

ACCELERATED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("litert", "gpu-delegate"): ("TFLite GPU delegate",),
}
"""The same of a runtime on an accelerator, of which only the device's own rows tell."""


def published_runtimes(runtime: str, accelerator: str = "") -> tuple[str, ...]:
    """What a runtime is called in the published rows, the likeliest first; none: no rows."""
    return ACCELERATED.get((runtime, accelerator), ()) if accelerator else RUNTIMES.get(runtime, ())
