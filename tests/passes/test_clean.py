from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes import clean
from pytest_edgebudget.passes._magnitude import prunable
from pytest_edgebudget.types import Step

from .conftest import DIGITS, PASSES, outputs, step_of
from .test_passes import each_model

pytestmark = pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")

KWS = Path(__file__).parents[3] / "shared" / "models" / "kws_dscnn" / "models" / "kws_int8.tflite"


@each_model
@pytest.mark.parametrize("recipe", [None, "float16"])
def test_every_answer_is_the_same_to_the_bit(recipe, model: Path, run_pass, samples) -> None:
    before = run_pass(recipe, model, name="before") if recipe else model
    after = run_pass("clean", before)
    assert after.stat().st_size < before.stat().st_size
    inputs = samples["x_test"][:50]
    assert outputs(after, inputs).tobytes() == outputs(before, inputs).tobytes()


def test_layers_keep_their_names_and_constants_lose_theirs(run_pass) -> None:
    model = DIGITS / "digits.tflite"
    old, new = graph.read(model), graph.read(run_pass("clean", model))
    assert [op.name for op in new.ops] == [op.name for op in old.ops]
    assert {tensor.name for tensor in new.tensors if tensor.constant} == {""}


def test_a_buffer_that_is_stored_twice_is_stored_once(run_pass, tmp_path: Path) -> None:
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model(str(DIGITS / "digits.tflite"))
    weights = max(model.buffers, key=lambda each: 0 if each.data is None else len(each.data))
    index = model.buffers.index(weights)
    twin = type(weights)()
    twin.data = weights.data
    model.buffers.append(twin)
    for tensor in model.subgraphs[0].tensors:
        if tensor.buffer == index:
            tensor.buffer = len(model.buffers) - 1
    model.subgraphs[0].tensors.append(_copy(model.subgraphs[0].tensors, index))
    doubled = tmp_path / "doubled.tflite"
    flatbuffer_utils.write_model(model, str(doubled))
    plain = run_pass("clean", DIGITS / "digits.tflite", name="plain").stat().st_size
    assert doubled.stat().st_size > plain + len(weights.data)
    assert run_pass("clean", doubled).stat().st_size == plain


def _copy(tensors, buffer: int):
    import copy

    extra = copy.copy(tensors[0])
    extra.buffer, extra.name = buffer, b"nobody reads this"
    return extra


def test_a_published_int8_model_loses_a_sixth(run_pass, tmp_path: Path) -> None:
    if not KWS.is_file():
        pytest.skip("shared/models is not beside this checkout")
    model = Path(shutil.copy(KWS, tmp_path / "kws.tflite"))
    assert run_pass("clean", model, data=np.zeros((4, 49, 10, 1), np.int8)).stat().st_size < 45_000
    assert model.stat().st_size == 53_936


def test_an_answer_that_differs_is_refused(run_pass, monkeypatch: pytest.MonkeyPatch) -> None:
    from ai_edge_litert.tools import flatbuffer_utils

    def spoil(job) -> None:
        model = flatbuffer_utils.read_model(str(job.model))
        for buffer in model.buffers:
            if buffer.data is not None and len(buffer.data) > 1000:
                buffer.data = np.array(buffer.data) ^ np.uint8(1)
        flatbuffer_utils.write_model(model, str(job.out))

    monkeypatch.setattr(clean._clean_tflite, "clean", spoil)
    with pytest.raises(BuildError, match="clean: the output 0 is not the same to the bit"):
        run_pass("clean", DIGITS / "digits.tflite")


def test_what_was_cleaned_has_nothing_left_to_leave_out(run_pass) -> None:
    once = run_pass("clean", DIGITS / "digits.tflite", name="once")
    twice = run_pass("clean", once, name="twice")
    said = clean.check(graph.read(once), graph.read(twice), Step("clean"))
    assert said == "there was nothing to leave out"


@pytest.mark.parametrize("name", ["prune", "cluster"])
def test_weights_without_names_are_changed_all_of_them(name: str, run_pass) -> None:
    """What `clean` left nameless is still each a weight of its own."""
    plain = run_pass("int8", DIGITS / "digits.tflite", name="plain")
    cleaned = run_pass("clean", plain, name="cleaned", data=np.zeros((4, 8, 8, 1), np.int8))
    one, other = (
        [bytes(tensor.data) for tensor in prunable(graph.read(run_pass(name, path, name=text)))]
        for path, text in ((plain, "a"), (cleaned, "b"))
    )
    assert len(other) == 4
    assert other == one
    before, after = graph.read(cleaned), graph.read(run_pass(name, cleaned, name="c"))
    assert PASSES[name].check(before, after, step_of(name)) == ""
