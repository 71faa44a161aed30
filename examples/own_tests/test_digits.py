"""
Your own questions to the model that will run on the device.

    pytest examples/own_tests

The marker names a budget file and a model in it; the fixture `edge_model` is the
optimized model that keeps that budget. Here it is the digits as int8.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.edge_budget("budgets/pi4.toml", model="digits")

DATA = Path(__file__).parent.parent / "digits" / "data.npz"


@pytest.fixture(scope="module")
def digits():
    """100 images of shape (8, 8, 1) in 0..1, and what they show."""
    with np.load(DATA) as data:
        return data["x_test"][:100], data["y_test"][:100]


def test_digits_in_faint_ink_are_still_read(edge_model, digits):
    images, labels = digits
    answers = edge_model.predict(0.7 * images).argmax(axis=1)
    assert np.mean(answers == labels) >= 0.95


def test_no_digit_is_read_much_worse_than_the_others(edge_model, digits):
    images, labels = digits
    answers = edge_model.predict(images).argmax(axis=1)
    shares = [np.mean(answers[labels == digit] == digit) for digit in range(10)]
    assert min(shares) >= 0.8


def test_the_model_that_was_asked_is_the_one_that_fits(edge_model):
    assert str(edge_model.artifact.recipe) == "int8"
    assert edge_model.readings["size"].value == edge_model.artifact.path.stat().st_size
