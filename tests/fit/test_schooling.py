from __future__ import annotations

import math

import pytest

from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.fit.schooling import School
from pytest_edgebudget.passes import BUILT_IN
from pytest_edgebudget.types import Trial

PASSES = {item.name: item for item in BUILT_IN}


def trial(recipe: str, ratio: float, *binding: str, state: str = "rejected") -> Trial:
    """A candidate that misses a limit by *ratio*."""
    found = parse_recipe(recipe, PASSES)
    return Trial(recipe=found, state=state, binding=binding, excess=math.log(ratio))


def recipes(
    *trials: Trial,
    form: str = "tflite",
    integer: bool = True,
    then: dict[str, tuple[float, str]] | None = None,
) -> list[str]:
    """What is tried; *then* says what becomes of a recipe: how far it misses, and what."""
    school = School(PASSES, frozenset({"accuracy"}), form, integer)
    grown, found = list(trials), []
    for recipe in school.recipes(grown):
        found.append(str(recipe))
        if str(recipe) in (then or {}):
            ratio, metric = (then or {})[str(recipe)]
            grown.append(trial(str(recipe), ratio, metric))
    return found


def test_accuracy_that_int8_loses_is_trained_back() -> None:
    trials = [trial("none", 4, "size"), trial("int8", 1.02, "accuracy")]
    assert recipes(*trials) == ["qat+int8"]
    broken = {"qat+int8": (1.01, "accuracy")}
    assert recipes(*trials, then=broken) == ["qat+int8", "qat(teacher=true)+int8"]


def test_a_file_of_twice_the_limit_loses_so_many_channels_that_it_fits() -> None:
    found = recipes(trial("int8", 2.0, "size", state="skipped"))
    assert found == ["channels(0.4)+int8"]  # 0.6 squared is 0.36


def test_a_cut_that_costs_too_much_is_trained_with_the_rounding_and_not_made_larger() -> None:
    lost = {"channels(0.4)+int8": (1.02, "accuracy"), "channels(0.4)+qat+int8": (1.3, "size")}
    found = recipes(trial("int8", 2.0, "size"), then=lost)
    assert found == ["channels(0.4)+int8", "channels(0.4)+qat+int8"]


def test_a_cut_that_is_too_small_is_made_larger_by_what_is_missing() -> None:
    small = {"channels(0.2)+int8": (1.5, "size"), "channels(0.4)+int8": (1.05, "size")}
    found = recipes(trial("int8", 1.2, "size", state="skipped"), then=small)
    assert found == ["channels(0.2)+int8", "channels(0.4)+int8", "channels(0.5)+int8"]


def test_a_file_that_is_a_little_too_large_loses_few() -> None:
    assert recipes(trial("int8", 1.2, "size"))[0] == "channels(0.2)+int8"


def test_memory_shrinks_by_the_channels_and_not_by_their_square() -> None:
    assert recipes(trial("int8", 1.5, "arena")) == ["channels(0.4)+int8"]


def test_a_download_gets_zeros() -> None:
    found = recipes(trial("int8", 1.3, "download_size"))
    assert found[:3] == ["sparsify(0.6)+int8", "sparsify(0.75)+int8", "sparsify(0.85)+int8"]


@pytest.mark.parametrize("metric", ["size", "arena"])
def test_what_no_training_can_close_is_not_trained(metric: str) -> None:
    assert recipes(trial("int8", 30, metric)) == []


def test_a_limit_that_training_does_not_move_is_not_trained_for() -> None:
    assert recipes(trial("int8", 2, "cpu_fallback")) == []


def test_without_int8_the_float_model_is_narrowed() -> None:
    found = recipes(trial("none", 1.5, "macs"), integer=False)
    assert found == ["channels(0.2)"]


def test_an_onnx_gets_no_fake_quantization() -> None:
    assert recipes(trial("int8", 1.02, "accuracy"), form="onnx") == []
