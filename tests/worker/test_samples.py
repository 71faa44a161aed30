"""What a model's inputs take of a sample, and what becomes of its outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.worker.refusal import Refusal
from pytest_edgebudget.worker.runtimes.base import Port
from pytest_edgebudget.worker.samples import from_outputs, read_inputs, to_input

INT8 = Port("x", "x", (1, 3), "int8", scale=0.5, zero_point=-1)
FLOAT = Port("x", "x", (1, 4), "float32")


def test_data_of_the_inputs_dtype_passes_as_it_is() -> None:
    sample = np.array([1, -128, 127], np.int8)
    assert to_input(sample, INT8).tolist() == [[1, -128, 127]]


def test_floats_are_quantized_half_to_even_and_clipped() -> None:
    halves = np.array([0.25, 0.75, 1000.0], np.float32)  # 0.5 -> 0, 1.5 -> 2, then - 1
    assert to_input(halves, INT8).tolist() == [[-1, 1, 127]]


def test_integers_of_another_dtype_are_real_values_too() -> None:
    pixels = Port("x", "x", (1, 3), "int8", scale=1.0, zero_point=-128)
    assert to_input(np.array([0, 128, 255], np.uint8), pixels).tolist() == [[-128, 0, 127]]


def test_integers_are_cast_for_a_float_input_and_reshaped() -> None:
    found = to_input(np.array([[1, 2], [3, 4]], np.uint8), FLOAT)
    assert found.dtype == np.float32
    assert found.tolist() == [[1, 2, 3, 4]]


def test_free_dimensions_take_their_size_from_the_sample() -> None:
    text = Port("x", "x", (-1, -1, 2), "float32")
    assert to_input(np.zeros((7, 2), np.float32), text).shape == (1, 7, 2)
    assert to_input(np.zeros((3, 7, 2), np.float32), text).shape == (3, 7, 2)


def test_whole_numbers_pass_into_an_input_without_a_scale_and_others_are_refused() -> None:
    tokens = Port("ids", "ids", (1, 2), "int32")
    assert to_input(np.array([3, 4], np.int64), tokens).tolist() == [[3, 4]]
    with pytest.raises(Refusal, match="takes int32 without a scale"):
        to_input(np.array([0.5, 4]), tokens)


def test_a_sample_that_does_not_fit_is_refused_with_both_shapes() -> None:
    with pytest.raises(Refusal, match="shape 5 does not fit the input 'x' of shape 1x4"):
        to_input(np.zeros(5), FLOAT)


def test_axes_of_one_come_and_go_but_an_image_in_another_order_is_refused() -> None:
    image = Port("x", "x", (1, 4, 4, 3), "float32")
    pixels = np.arange(48, dtype=np.float32)
    for shape in ((4, 4, 3), (1, 4, 4, 3), (4, 1, 4, 3), (48,)):
        assert to_input(pixels.reshape(shape), image).ravel().tolist() == pixels.tolist()
    with pytest.raises(Refusal, match="shape 3x4x4 does not fit the input 'x' of shape 1x4x4x3"):
        to_input(pixels.reshape(3, 4, 4), image)


def test_text_is_refused() -> None:
    with pytest.raises(Refusal, match="'x' takes float32, the data holds <U1"):
        to_input(np.array(["a", "b", "c", "d"]), FLOAT)


def test_outputs_lose_the_batch_axis_and_their_quantization() -> None:
    answers = [np.array([[-1, 0, 1]], np.int8), np.array([[3, 0, 0]], np.int8)]
    found = from_outputs(answers, INT8)
    assert found.dtype == np.float32
    assert found.tolist() == [[0.0, 0.5, 1.0], [2.0, 0.5, 0.5]]


def test_scalars_and_class_numbers_stay_what_they_are() -> None:
    assert from_outputs([np.array(3), np.array(4)], Port("y", "y", (), "int64")).tolist() == [3, 4]


def test_inputs_are_found_by_the_signatures_name_then_by_the_graphs(tmp_path: Path) -> None:
    ports = [Port("left", "serving_left:0", (1,), "float32"), Port("b", "b:0", (1,), "float32")]
    path = tmp_path / "data.npz"
    np.savez(path, **{"x_test/left": np.zeros(2), "x_test/b:0": np.ones(2)})
    assert [array.tolist() for array in read_inputs(str(path), "test", ports)] == [[0, 0], [1, 1]]


def test_a_missing_input_is_named_with_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, **{"x_test/left": np.zeros(2)})
    ports = [Port("left", "left", (1,), "float32"), Port("right", "right", (1,), "float32")]
    with pytest.raises(Refusal, match="no x_test/right for the input 'right'") as caught:
        read_inputs(str(path), "test", ports)
    assert caught.value.hint == "it has x_test/left"


def test_a_file_of_pickled_objects_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, x_test=np.array([{}], dtype=object))
    with pytest.raises(Refusal, match="cannot be read"):
        read_inputs(str(path), "test", [FLOAT])
