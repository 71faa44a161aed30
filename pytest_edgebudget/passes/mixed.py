"""``mixed(8448)``: static int8, with int4 weights in chosen layers."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes import _litert
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._calibration import Calibration
from pytest_edgebudget.passes._checks import (
    all_of,
    integer,
    integer_ends,
    interface,
    smaller,
)
from pytest_edgebudget.passes._litert_recipes import static
from pytest_edgebudget.passes._ready import ready
from pytest_edgebudget.passes._weights import Weight, weights
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.types import Step

PARAMETERS = (
    Parameter(
        name="bits",
        type=str,
        help="4 or 8 for each layer with weights, in their order",
    ),
)
FOUR = {"CONV_2D": "CONV_2D", "FULLY_CONNECTED": "FULLY_CONNECTED"}
"""Kinds of ops whose kernels take int4 weights, and litert-quantizer's names for them."""


def layers(graph: Graph) -> tuple[Weight, ...]:
    """The first weight of each op that has any, in the order of the ops."""
    found: dict[int, Weight] = {}
    for weight in weights(graph):
        found.setdefault(id(weight.op), weight)
    return tuple(found.values())


def apply(job: Job) -> None:
    """
    Weights in int4 where it is marked, int8 elsewhere, activations in int8.

    Needs ``x_calibration``, as int8 does. `mixed(8448)` is a model of four layers with
    weights: the second and the third get int4, half the bytes of int8. Which layers
    bear it, `optimize = "fit"` finds out by itself: it tries the loss of each layer.
    Convolutions and dense layers may have 4 bits; depthwise and transposed
    convolutions have 8. For .tflite; tflite-runtime 2.14 and TensorFlow Lite Micro
    refuse int4 convolutions of int8 activations in part.
    """
    bits = str(arguments(job.step, PARAMETERS)["bits"])
    graph = ready(job)
    _check_bits(job.step, bits, graph)
    four = [w.op for w, each in zip(layers(graph), bits, strict=True) if each == "4"]
    names = [graph.tensors[op.outputs[0]].name for op in four]
    _litert.quantize(
        job, partial(_configure, [op.kind for op in four], names), calibrate=Calibration()
    )


def _check_bits(step: Step, bits: str, graph: Graph) -> None:
    found = layers(graph)
    if len(bits) != len(found) or set(bits) - {"4", "8"}:
        raise BuildError(
            f"{step}: the model has {len(found)} layers with weights, and each needs a 4 or an 8",
            f"such as mixed({'8' * len(found)}); edgebudget explain MODEL lists the layers",
        )
    for weight, each in zip(found, bits, strict=True):
        if each == "4" and weight.op.kind not in FOUR:
            raise BuildError(f"{step}: {weight.op.name} ({weight.op.kind}) cannot have 4 bits")


def _configure(kinds: list[str], names: list[str], quantizer: Any, qtyping: Any) -> None:
    static(8, True, quantizer, qtyping)
    for kind, name in zip(kinds, names, strict=True):
        # A scope is the names of the op's outputs, each with a semicolon behind it.
        quantizer.add_static_config(
            f"^{re.escape(name)};?$",
            getattr(qtyping.TFLOperationName, FOUR[kind]),
            activation_num_bits=8,
            weight_num_bits=4,
        )


def check(before: Graph, after: Graph, step: Step) -> str:
    """Each layer has the bits that it was given, all compute in int8, the file is smaller."""
    bits = str(arguments(step, PARAMETERS)["bits"])
    stored = "".join({"int4": "4", "int8": "8"}.get(w.tensor.dtype, "?") for w in layers(after))
    return all_of(
        f"the layers have {stored} bits" if stored != bits else "",
        integer(after, "int8"),
        integer_ends(after, "int8"),
        smaller(before, after),
        interface(before, after),
    )


PASS = Pass(
    name="mixed",
    apply=apply,
    check=check,
    formats=frozenset({"tflite"}),
    calibrated=True,
    parameters=PARAMETERS,
    libraries=_litert.LIBRARIES,
)
