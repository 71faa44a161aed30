"""Accuracy, top_k and f1 are those of scikit-learn, in all usual shapes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.metrics import accuracy, auc, f1, top_k
from pytest_edgebudget.metrics.base import Metric
from tests.metrics.samples import classifier, read, scores

np = pytest.importorskip("numpy", reason="quality metrics compute with numpy")
sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn says what is right")

SEEDS = st.integers(0, 10_000)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_accuracy_is_that_of_scikit_learn(seed: int) -> None:
    output, labels = classifier(seed)
    expected = sklearn.accuracy_score(labels, output.argmax(axis=1))
    assert read(accuracy.METRIC, output, labels).value == pytest.approx(expected)


@pytest.mark.parametrize(
    "reshape",
    [
        lambda output, labels: (output[:, None, None, :], labels),
        lambda output, labels: (output, labels[:, None]),
        lambda output, labels: (output, labels.astype(np.float32)),
        lambda output, labels: (output, labels.astype(np.uint8)),
        lambda output, labels: (output, np.eye(6)[labels]),
        lambda output, labels: (output, np.eye(6, dtype=bool)[labels]),
        lambda output, labels: (output[:, None, :], np.eye(6)[labels]),
    ],
)
@pytest.mark.parametrize("metric", [accuracy.METRIC, f1.METRIC, top_k.METRIC, auc.METRIC])
def test_labels_and_outputs_may_come_in_any_usual_shape(metric: Metric, reshape: Any) -> None:
    output, labels = classifier(3)
    assert read(metric, *reshape(output, labels)) == read(metric, output, labels)


@pytest.mark.parametrize("shape", [(50,), (50, 1)])
def test_a_single_output_is_class_1_from_the_threshold_on(shape: tuple[int, ...]) -> None:
    output, labels = scores(1)
    assert read(accuracy.METRIC, output.reshape(shape), labels).value == pytest.approx(
        sklearn.accuracy_score(labels, output >= 0.5)
    )
    assert read(
        accuracy.METRIC, output.reshape(shape), labels, threshold=0.7
    ).value == pytest.approx(sklearn.accuracy_score(labels, output >= 0.7))


def test_accuracy_of_answers_at_every_position_is_over_all_positions() -> None:
    random = np.random.default_rng(5)
    output, labels = random.random((7, 9, 4)), random.integers(0, 4, (7, 9))
    expected = sklearn.accuracy_score(labels.ravel(), output.argmax(axis=-1).ravel())
    assert read(accuracy.METRIC, output, labels).value == pytest.approx(expected)


def test_accuracy_has_the_wilson_interval_of_the_published_example() -> None:
    # Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263, score method.
    labels = np.zeros(263, int)
    output = np.where(np.arange(263) < 81, 0.0, 1.0)
    reading = read(accuracy.METRIC, output, labels)
    assert (reading.low, reading.high) == (
        pytest.approx(0.2553, abs=5e-5),
        pytest.approx(0.3662, abs=5e-5),
    )


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 5))
def test_top_k_is_that_of_scikit_learn(seed: int, k: int) -> None:
    output, labels = classifier(seed)
    expected = sklearn.top_k_accuracy_score(labels, output, k=k)
    assert read(top_k.METRIC, output, labels, k=k).value == pytest.approx(expected)


def test_top_1_is_the_accuracy_even_where_outputs_are_equal() -> None:
    random = np.random.default_rng(8)
    output, labels = random.integers(0, 3, (200, 6)) / 4, random.integers(0, 6, 200)
    assert (
        read(top_k.METRIC, output, labels, k=1).value == read(accuracy.METRIC, output, labels).value
    )


@pytest.mark.parametrize("k", [0, 6, 7])
def test_top_k_refuses_a_k_that_says_nothing(k: int) -> None:
    with pytest.raises(ModelError, match=rf"k = {k} says nothing[\s\S]*from 1 to 5"):
        read(top_k.METRIC, *classifier(0), k=k)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(["macro", "weighted"]))
def test_f1_is_that_of_scikit_learn(seed: int, average: str) -> None:
    output, labels = classifier(seed, samples=20)
    labels = np.where(labels == 5, 4, labels)  # a class without labels
    expected = sklearn.f1_score(labels, output.argmax(axis=1), average=average, zero_division=0)
    assert read(f1.METRIC, output, labels, average=average).value == pytest.approx(expected)


@pytest.mark.parametrize("average", ["macro", "weighted", "binary"])
def test_f1_of_a_single_output_is_that_of_scikit_learn(average: str) -> None:
    output, labels = scores(2)
    expected = sklearn.f1_score(labels, output >= 0.5, average=average)
    reading = read(f1.METRIC, output, labels, average=average)
    assert reading.value == pytest.approx(expected)
    assert reading.low < reading.value < reading.high


def test_f1_of_two_outputs_may_be_binary() -> None:
    output, labels = classifier(4, classes=2)
    expected = sklearn.f1_score(labels, output.argmax(axis=1))
    assert read(f1.METRIC, output, labels, average="binary").value == pytest.approx(expected)


def test_binary_f1_of_many_classes_is_refused() -> None:
    with pytest.raises(ModelError, match="needs two classes; 'y' has 6"):
        read(f1.METRIC, *classifier(0), average="binary")


def test_f1_reads_the_same_interval_every_time() -> None:
    assert read(f1.METRIC, *classifier(9)) == read(f1.METRIC, *classifier(9))


def test_the_interval_has_the_confidence_that_the_limit_asks_for() -> None:
    stats = pytest.importorskip("scipy.stats", reason="SciPy says what is right")
    labels = np.arange(10) % 2
    output = np.eye(2)[np.where(np.arange(10) < 2, 1 - labels, labels)]
    expected = stats.binomtest(8, 10).proportion_ci(0.99, "wilson")

    value = read(accuracy.METRIC, output, labels, confidence=0.99)

    assert (value.low, value.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("metric", [top_k.METRIC, f1.METRIC, auc.METRIC])
def test_more_confidence_is_a_wider_interval(metric: Metric) -> None:
    output, labels = scores(3) if metric is auc.METRIC else classifier(3)
    usual = read(metric, output, labels)
    wider = read(metric, output, labels, confidence=0.99)

    assert usual.low is not None
    assert wider.low is not None
    assert wider.low < usual.low
    assert wider.value == usual.value
