"""
What is fuzzed: reading a model, what is computed of it without a runtime, and the rules.

An input may be refused (ModelError) or read. Any other exception is a find, and
so are a second of computing and 200 MB of memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from pytest_edgebudget.devices.profile import load_profile, profiles
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph.cost import bytes_by_layer, layer_costs
from pytest_edgebudget.graph.files import parse
from pytest_edgebudget.graph.ir import Graph
from pytest_edgebudget.graph.memory import plan
from pytest_edgebudget.lint.base import ModelFile, OnDevice
from pytest_edgebudget.lint.table import RULES
from pytest_edgebudget.types import Profile

CORPUS = Path(__file__).parent / "corpus"
FORMATS = ("tflite", "onnx")
SECONDS = 1.0
DEVICES = (
    "android-gpu",
    "nrf52840-tflm",
    "coral-usb-accelerator",
    "ethos-u55-128",
    "raspberry-pi-4",
)
RUNTIMES = {"tflite": ("tflm", "litert"), "onnx": ("onnxruntime",)}


class TooSlow(Exception):
    """An input took longer than it may."""


def read(data: bytes, format_: str) -> Graph | None:
    """The graph of *data*; None when it is refused, in a sentence that fits a screen."""
    try:
        # External data is looked for beside the seeds, which have some.
        return parse(data, CORPUS / format_ / f"input.{format_}")
    except ModelError as error:
        if len(str(error)) > 1000:
            raise ValueError("an error longer than a screen") from error
        return None


def use(data: bytes, format_: str) -> None:
    """Count and plan what can be read."""
    graph = read(data, format_)
    if graph is not None:
        layer_costs(graph)
        bytes_by_layer(graph)
        for runtime in RUNTIMES[format_]:
            plan(graph, runtime)


@cache
def devices() -> tuple[Profile, ...]:
    """One profile of each kind of device that the rules tell apart."""
    return tuple(load_profile(profiles()[name]) for name in DEVICES)


def lint(data: bytes, format_: str) -> None:
    """Put all rules of models to what can be read."""
    graph = read(data, format_)
    if graph is None:
        return
    model = ModelFile(CORPUS / format_ / f"input.{format_}", graph)
    for rule in RULES:
        if format_ not in rule.formats:
            continue
        if rule.needs is ModelFile:
            list(rule.check(model))
        if rule.needs is OnDevice:
            for profile in devices():
                list(rule.check(OnDevice(model, profile)))


TARGETS: dict[str, Callable[[bytes], object]] = {
    "tflite-read": lambda data: read(data, "tflite"),
    "onnx-read": lambda data: read(data, "onnx"),
    "tflite-use": lambda data: use(data, "tflite"),
    "onnx-use": lambda data: use(data, "onnx"),
    "tflite-lint": lambda data: lint(data, "tflite"),
    "onnx-lint": lambda data: lint(data, "onnx"),
}
"""Readers alone, with counts and plans, and with the rules."""


def timed(target: str, data: bytes, seconds: float = SECONDS) -> None:
    """Run one input. Raises TooSlow, or whatever is wrong."""
    start = time.process_time()
    TARGETS[target](data)
    taken = time.process_time() - start
    if taken > seconds:
        raise TooSlow(f"{taken:.2f} s")


def seeds(target: str) -> list[Path]:
    """The committed inputs of a target."""
    format_ = target.partition("-")[0]
    return sorted(path for path in (CORPUS / format_).iterdir() if path.suffix != ".bin")
