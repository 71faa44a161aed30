"""
Float inputs or outputs on a device that computes on integers.

What it finds
    Integer models whose inputs or outputs are floats, on an Edge TPU, an Ethos-U,
    or with the kernels of CMSIS-NN or ESP-NN.

Why it hurts
    Sensors and accelerators deal in integers. The float tensor takes four times the
    bytes in the arena, and the QUANTIZE and DEQUANTIZE ops at the ends run on the
    CPU, on a microcontroller without vector instructions one element at a time.

Example
    serving_default_x: this input is float32: 9,216 bytes where int8 needs 2,304

Instead
    Convert with ``inference_input_type`` and ``inference_output_type`` int8, and apply
    the scale and zero point of the input where the samples are made - for images that
    is often a subtraction of 128.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.graph.dtypes import BITS, is_float
from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.lint.base import Finding, OnDevice, Rule, Severity
from pytest_edgebudget.lint.links import Links
from pytest_edgebudget.lint.quantization._layers import layers, short
from pytest_edgebudget.types import Profile


def _check(pair: OnDevice) -> Iterator[Finding]:
    if not _integers_only(pair.profile) or not any(la.integer for la in layers(pair.model)):
        return
    links = pair.model.links[0]
    main = links.subgraph
    for what, ends in (("input", main.inputs), ("output", main.outputs)):
        for index in ends:
            end, inside = main.tensors[index], _inside(index, what, links)
            if is_float(end.dtype) and inside is not None:
                size = _sizes(end, inside)
                yield Finding(f"this {what} is {end.dtype}{size}", where=short(end.name))


def _inside(index: int, what: str, links: Links) -> Tensor | None:
    """The integers that the model makes of an input, or an output of; None: there are none."""
    ops, tensors = links.subgraph.ops, links.subgraph.tensors
    if what == "input":
        users = [ops[user] for user in links.consumers.get(index, ())]
        converted = bool(users) and all(op.kind == "QUANTIZE" for op in users)
        ends = users[0].outputs if converted else ()
    else:
        producer = links.producer(index)
        ends = producer.inputs if producer is not None and producer.kind == "DEQUANTIZE" else ()
    return tensors[ends[0]] if ends and ends[0] >= 0 else None


def _sizes(end: Tensor, inside: Tensor) -> str:
    bits = BITS.get(inside.dtype)
    if end.elements is None or bits is None:
        return ", and the model converts it itself"
    needed = end.elements * bits // 8
    return f": {end.elements * BITS[end.dtype] // 8:,} bytes where {inside.dtype} needs {needed:,}"


def _integers_only(profile: Profile) -> bool:
    accelerated = profile.accelerator.startswith(("edge-tpu", "ethos-u"))
    return accelerated or profile.kernels in ("cmsis-nn", "esp-nn")


RULE = Rule(
    code="EB305",
    name="float-ends",
    severity=Severity.WARNING,
    needs=OnDevice,
    check=_check,
    formats=frozenset({"tflite"}),
)
