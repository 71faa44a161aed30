"""Errors of numbers, and the likeness to the source model."""

from __future__ import annotations

import pytest

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.metrics import cosine, mae, mse
from tests.metrics.samples import read

np = pytest.importorskip("numpy", reason="quality metrics compute with numpy")
sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn says what is right")


@pytest.mark.parametrize("shapes", [((30, 1), (30,)), ((30,), (30, 1)), ((30, 2, 3), (30, 2, 3))])
def test_mae_and_mse_are_those_of_scikit_learn(shapes: tuple[tuple[int, ...], ...]) -> None:
    random = np.random.default_rng(12)
    output, labels = (random.normal(size=shape) for shape in shapes)
    flat = labels.reshape(30, -1), output.reshape(30, -1)
    assert read(mae.METRIC, output, labels).value == pytest.approx(
        sklearn.mean_absolute_error(*flat)
    )
    assert read(mse.METRIC, output, labels).value == pytest.approx(
        sklearn.mean_squared_error(*flat)
    )


def test_the_interval_of_mae_is_the_normal_one_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats", reason="SciPy says what is right")
    random = np.random.default_rng(13)
    output, labels = random.normal(size=(2, 50))
    errors = np.abs(output - labels)
    reading = read(mae.METRIC, output, labels)
    assert (reading.low, reading.high) == pytest.approx(
        stats.norm.interval(0.95, errors.mean(), stats.sem(errors))
    )


def test_unsigned_labels_do_not_wrap_around() -> None:
    output, labels = np.array([0, 5], np.uint8), np.array([1, 7], np.uint8)
    assert read(mae.METRIC, output, labels).value == 1.5


def test_a_single_sample_has_no_interval_of_its_mean() -> None:
    reading = read(mae.METRIC, np.array([[1.0]]), np.array([3.0]))
    assert (reading.value, reading.low, reading.high) == (2.0, None, None)


def test_cosine_is_that_of_scikit_learn_and_needs_no_labels() -> None:
    pairwise = pytest.importorskip("sklearn.metrics.pairwise")
    random = np.random.default_rng(14)
    ours, theirs = random.normal(size=(2, 20, 3, 4))
    predictions = Predictions({"y": ours}, {}, {}, source={"y": theirs})
    expected = pairwise.paired_cosine_distances(ours.reshape(20, 12), theirs.reshape(20, 12))
    reading = cosine.METRIC.read(predictions, {})
    assert reading.value == pytest.approx(1 - expected.mean())
    assert reading.low < reading.value < reading.high


def test_cosine_of_equal_outputs_is_one_even_when_they_are_zero() -> None:
    output = np.zeros((4, 3))
    output[1:] = np.random.default_rng(15).normal(size=(3, 3))
    predictions = Predictions({"y": output}, {}, {}, source={"y": output})
    assert cosine.METRIC.read(predictions, {}).value == pytest.approx(1)


def test_cosine_finds_a_renamed_output_by_its_position() -> None:
    outputs = {"a": np.ones((2, 3)), "b": np.eye(2, 3)}
    source = {"a:0": np.eye(2, 3), "b:0": np.eye(2, 3)}
    predictions = Predictions(outputs, {}, {}, source=source)
    assert cosine.METRIC.read(predictions, {"output": "b"}).value == pytest.approx(1)


def test_cosine_without_a_source_model_is_refused() -> None:
    with pytest.raises(ModelError, match="compares with the source model"):
        read(cosine.METRIC, np.ones((2, 3)))
