from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.passes import _litert
from pytest_edgebudget.passes._calibration import Calibration
from pytest_edgebudget.passes._checks import left_float
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.types import Step

from .conftest import DIGITS, PASSES

pytestmark = pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")

MODEL = DIGITS / "digits.tflite"


def quantize(out: Path, configure, calibration: Path, *, calibrate: bool = False) -> graph.Graph:
    job = Job(model=MODEL, out=out, step=Step("test"), calibration=calibration)
    _litert.quantize(job, configure, calibrate=Calibration() if calibrate else None)
    return graph.read(out)


def test_a_layer_that_a_recipe_left_in_float_is_named(tmp_path: Path, calibration: Path) -> None:
    def dense_only(quantizer, qtyping) -> None:
        quantizer.add_static_config(".*", qtyping.TFLOperationName.FULLY_CONNECTED, 8, 8)

    after = quantize(tmp_path / "a.tflite", dense_only, calibration, calibrate=True)
    sentence = PASSES["int8"].check(graph.read(MODEL), after, Step("int8"))
    convolutions = [op.name.split(";")[0] for op in after.ops if op.kind.endswith("CONV_2D")]
    assert sentence.startswith("weights are not int8: ")
    assert all(name in sentence for name in convolutions[:2])


def test_convolutions_that_a_recipe_of_weights_skips_are_caught(
    tmp_path: Path, calibration: Path
) -> None:
    def dense_only(quantizer, qtyping) -> None:
        quantizer.add_weight_only_config(".*", qtyping.TFLOperationName.FULLY_CONNECTED, 4)

    after = quantize(tmp_path / "a.tflite", dense_only, calibration)
    check = PASSES["int4_weights"].check
    assert "weights are not int4" in check(graph.read(MODEL), after, Step("int4_weights"))


def test_float_inputs_break_the_promise_of_int8(tmp_path: Path, calibration: Path) -> None:
    def float_ends(quantizer, qtyping) -> None:
        names = qtyping.TFLOperationName
        quantizer.add_static_config(".*", names.ALL_SUPPORTED, 8, 8)
        for name in (names.INPUT, names.OUTPUT):
            quantizer.update_quantization_recipe(".*", name, algorithm_key="no_quantize")

    after = quantize(tmp_path / "a.tflite", float_ends, calibration, calibrate=True)
    sentence = PASSES["int8"].check(graph.read(MODEL), after, Step("int8"))
    assert sentence.startswith("inputs or outputs are not int8: ")
    assert sentence.count("float32") == 2


def test_ops_left_in_float_among_integers_are_listed(tmp_path: Path, calibration: Path) -> None:
    def no_softmax(quantizer, qtyping) -> None:
        names = qtyping.TFLOperationName
        quantizer.add_static_config(".*", names.ALL_SUPPORTED, 8, 8)
        quantizer.update_quantization_recipe(".*", names.SOFTMAX, algorithm_key="no_quantize")
        quantizer.update_quantization_recipe(".*", names.OUTPUT, algorithm_key="no_quantize")

    whole = graph.read(MODEL)
    assert left_float(whole) == ()
    after = quantize(tmp_path / "a.tflite", no_softmax, calibration, calibrate=True)
    assert "SOFTMAX" in [op.kind for op in after.ops]
    assert left_float(after) == ("SOFTMAX",)
