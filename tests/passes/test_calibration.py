from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes._calibration import Input, samples

IMAGE = Input(names=("image", "serving_default_image:0"), shape=(1, 2, 2), dtype=np.float32)
LENGTH = Input(names=("length",), shape=(-1, 1), dtype=np.int32)


def saved(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "calibration.npz", **arrays)
    return folder / "calibration.npz"


def test_a_sample_is_reshaped_and_cast_to_what_the_input_wants(tmp_path: Path) -> None:
    path = saved(tmp_path, x=np.arange(8, dtype=np.uint8).reshape(2, 4))
    first, second = samples(path, [IMAGE])
    assert first["image"].dtype == np.float32
    assert first["image"].tolist() == [[[0.0, 1.0], [2.0, 3.0]]]
    assert second["image"].tolist() == [[[4.0, 5.0], [6.0, 7.0]]]


def test_several_inputs_are_fed_by_their_names(tmp_path: Path) -> None:
    arrays = {"length": np.array([3, 4, 5]), "serving_default_image:0": np.zeros((2, 4))}
    found = list(samples(saved(tmp_path, **arrays), [IMAGE, LENGTH]))
    assert [sample["length"].tolist() for sample in found] == [[[3]], [[4]]]
    assert found[0]["length"].dtype == np.int32


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path, image=np.zeros((2, 4)), lenght=np.zeros(2))
    with pytest.raises(BuildError) as caught:
        list(samples(path, [IMAGE, LENGTH]))
    assert str(caught.value) == (
        "no calibration data for the input length (there is image, lenght)\n"
        "  name the array x_calibration/length"
    )


def test_a_sample_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"shape \(5,\), the input image \(1, 2, 2\)"):
        list(samples(saved(tmp_path, x=np.zeros((2, 5))), [IMAGE]))


def test_a_sample_in_another_order_is_refused(tmp_path: Path) -> None:
    image = Input(names=("image",), shape=(1, 4, 4, 3), dtype=np.float32)
    with pytest.raises(BuildError, match=r"shape \(3, 4, 4\), the input image \(1, 4, 4, 3\)"):
        list(samples(saved(tmp_path, x=np.zeros((2, 3, 4, 4))), [image]))


def test_no_calibration_data_is_a_sentence() -> None:
    with pytest.raises(BuildError, match="there is no calibration data"):
        list(samples(None, [IMAGE]))
