"""Bits that agree are counted, and what differs is told."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array, TwinAnswers
from pytest_edgebudget.metrics.base import Value
from pytest_edgebudget.metrics.bit_identity import METRIC


def read(there: Array, here: Array) -> Value:
    return METRIC.read(
        TwinAnswers(there={"y": there}, here={"y": here}, twin="litert 2 on a CPU"), {}
    )


def test_the_same_answers_are_identical() -> None:
    answers = np.arange(12, dtype=np.float32).reshape(4, 3)
    found = read(answers, answers.copy())
    assert (found.value, found.note) == (1.0, "12 of 12 values; against litert 2 on a CPU")


def test_the_last_bit_counts() -> None:
    there = np.ones((4, 3), dtype=np.float32)
    here = there.copy()
    here[2, 1] = np.nextafter(np.float32(1), np.float32(2))
    found = read(there, here)
    assert found.value == 11 / 12
    assert found.note == (
        "11 of 12 values; against litert 2 on a CPU;"
        " largest difference 1.19e-07, largest value elsewhere in 1 samples"
    )


def test_nan_agrees_with_the_same_nan_and_zero_not_with_minus_zero() -> None:
    there = np.array([[np.nan, 0.0]], dtype=np.float32)
    assert read(there, there.copy()).value == 1.0
    assert read(there, np.array([[np.nan, -0.0]], dtype=np.float32)).value == 0.5


@pytest.mark.parametrize("dtype", ["int8", "int64", "float16", "float64", "bool"])
def test_any_type_of_numbers_is_compared(dtype: str) -> None:
    there = np.array([[0, 1], [1, 0]], dtype=dtype)
    assert read(there, there[::-1].copy()).value == 0.0
    assert read(there, there.copy()).value == 1.0


def test_an_output_of_another_shape_is_an_error() -> None:
    with pytest.raises(ModelError, match="the output 'y' is another one"):
        read(np.zeros((4, 3), np.float32), np.zeros((4, 2), np.float32))
