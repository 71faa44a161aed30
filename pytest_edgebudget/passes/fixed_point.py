"""``fixed_point(16, 6)``: every layer of a Keras model in fixed-point numbers, for FPGAs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_edgebudget.devices.fpga.firmware import read_model
from pytest_edgebudget.devices.fpga.note import note_of, write_with_note
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.passes._arguments import arguments
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes.base import Job, Parameter, Pass
from pytest_edgebudget.types import Step

PARAMETERS = (
    Parameter(name="total", type=int, help="bits of a number", minimum=1, maximum=64),
    Parameter(
        name="integer",
        type=int,
        help="bits of those before the binary point, the sign's among them",
        minimum=0,
        maximum=64,
    ),
    Parameter(
        name="round",
        type=bool,
        help="to the nearest number (AP_RND) instead of down to the next one (AP_TRN)",
        default=False,
    ),
    Parameter(
        name="saturate",
        type=bool,
        help="stay at the largest number (AP_SAT) instead of beginning anew (AP_WRAP)",
        default=False,
    ),
)
FIXED = ("weight", "bias", "result")
"""What gets the precision; accumulators become as wide as hls4ml finds that they need."""

CONVOLUTIONS = ("Conv", "DepthwiseConv", "SeparableConv")


def apply(job: Job) -> None:
    """
    Compute in fixed-point numbers, as hls4ml builds it into an FPGA.

    Needs no data. Weights, biases and each layer's results become
    ``ap_fixed<total, integer>``; sums are kept as wide as they need to be.
    Results that do not fit begin anew at the other end of the range, as
    ``ap_fixed`` does by default: a model whose accuracy collapses needs more
    integer bits, or ``saturate=true``. ``round=true`` halves the error of each
    number and costs an adder a result. The file stays the Keras model, with
    hls4ml's own arguments in ``hls4ml.json`` inside.
    """
    purpose = f"the pass {job.step.name}"
    load("hls4ml", purpose)
    given = arguments(job.step, PARAMETERS)
    if float(given["integer"]) > float(given["total"]):
        raise BuildError(f"{job.step}: more integer bits than bits", "such as fixed_point(16, 6)")
    write_with_note(job.model, _note(read_model(job.model), given), job.out)


def _note(model: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``hls4ml.converters.convert_from_keras_model``."""
    import hls4ml

    wanted = precision(given)
    try:
        config = hls4ml.utils.config_from_keras_model(
            model,
            granularity="name",
            backend="Vitis",
            default_precision=wanted,
        )
    except Exception as error:  # what hls4ml does not know, it tells in any way
        words = " ".join(str(error).split())
        raise BuildError(f"hls4ml cannot convert the model: {words[:300]}") from error
    for layer in config["LayerName"].values():
        layer["Precision"].update({key: wanted for key in FIXED if key in layer["Precision"]})
    return {
        "backend": "Vitis",
        "io_type": _io_type(model),
        "hls_config": config,
        "allow_da_fallback": False,  # or the firmware would depend on what else is installed
    }


def _io_type(model: Any) -> str:
    """Convolutions get their images pixel by pixel, as hls4ml advises; nothing else does."""
    kinds = [type(layer).__name__ for layer in model.layers]
    return "io_stream" if any(kind.startswith(CONVOLUTIONS) for kind in kinds) else "io_parallel"


def precision(given: Mapping[str, Any]) -> str:
    """The type in the words of ``ap_fixed.h``; its defaults are not written."""
    modes = ("AP_RND" if given["round"] else "AP_TRN", "AP_SAT" if given["saturate"] else "AP_WRAP")
    words = "" if modes == ("AP_TRN", "AP_WRAP") else "," + ",".join(modes)
    return f"ap_fixed<{given['total']},{given['integer']}{words}>"


def check(before: Graph, after: Graph, step: Step) -> str:
    """Every layer's weights, biases and results have the precision, in the file's own note."""
    note = note_of(after, str(step))
    if note is None:
        return "the file holds no precision"
    wanted = precision(arguments(step, PARAMETERS))
    for name, layer in note["hls_config"]["LayerName"].items():
        others = [key for key in FIXED if layer["Precision"].get(key, wanted) != wanted]
        if others:
            return f"the {others[0]} of {name} is {layer['Precision'][others[0]]}, not {wanted}"
    return ""


PASS = Pass(
    name="fixed_point",
    apply=apply,
    check=check,
    formats=frozenset({"keras"}),
    parameters=PARAMETERS,
    libraries=("hls4ml", "keras", "tensorflow"),
)
