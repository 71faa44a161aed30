from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes import mixed
from pytest_edgebudget.types import Step

from .conftest import DIGITS, accuracy

pytestmark = pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")

MODEL = DIGITS / "digits.tflite"


def bits(text: str) -> Step:
    return Step("mixed", (text,))


@pytest.mark.parametrize("text", ["8888", "8848", "4484"])
def test_each_layer_gets_its_bits_and_the_file_shrinks_by_half_of_them(
    text: str, run_pass, samples
) -> None:
    out = graph.read(run_pass("mixed", MODEL, bits(text)))
    weights = [layer.tensor for layer in mixed.layers(out)]
    assert [tensor.dtype for tensor in weights] == [f"int{each}" for each in text]
    eight = graph.read(run_pass("int8", MODEL, name="eight"))
    saved = sum(w.elements // 2 for w in weights if w.dtype == "int4")
    assert eight.size - out.size == pytest.approx(saved, abs=64 + 16 * len(text))
    assert accuracy(run_pass("mixed", MODEL, bits(text)), samples["x_test"], samples["y_test"]) > (
        0.95
    )


@pytest.mark.parametrize("text", ["88", "88888", "8884f"])
def test_bits_that_do_not_fit_the_layers_are_refused(text: str, run_pass) -> None:
    with pytest.raises(BuildError, match="has 4 layers with weights, and each needs a 4 or an 8"):
        run_pass("mixed", MODEL, bits(text))


def test_a_file_with_other_bits_breaks_the_promise(run_pass) -> None:
    before, after = graph.read(MODEL), graph.read(run_pass("mixed", MODEL, bits("8848")))
    assert mixed.check(before, after, bits("8448")) == "the layers have 8848 bits"
    assert mixed.check(before, after, bits("8848")) == ""


def test_a_depthwise_convolution_cannot_have_four_bits(run_pass) -> None:
    model = Path(__file__).parents[3] / "shared/models/kws_dscnn/models/kws_float32.tflite"
    if not model.is_file():
        pytest.skip("shared/models is not beside this checkout")
    with pytest.raises(BuildError, match=r"DEPTHWISE_CONV_2D\) cannot have 4 bits"):
        run_pass("mixed", model, bits("8484444444"))
