"""The area under the ROC curve is that of scikit-learn, its interval that of R."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.metrics import auc
from tests.metrics.samples import classifier, read, scores, softmax

np = pytest.importorskip("numpy", reason="quality metrics compute with numpy")
sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn says what is right")

SEEDS = st.integers(0, 10_000)


@settings(max_examples=50, deadline=None)
@given(SEEDS, st.integers(1, 20))
def test_auc_counts_ties_half_as_scikit_learn_does(seed: int, levels: int) -> None:
    output, labels = scores(seed, levels=levels)
    expected = sklearn.roc_auc_score(labels, output)
    reading = read(auc.METRIC, output[:, None], labels)
    assert reading.value == pytest.approx(expected)
    assert reading.low <= reading.value <= reading.high


def test_auc_of_two_probabilities_ranks_the_second() -> None:
    output, labels = classifier(6, classes=2)
    expected = sklearn.roc_auc_score(labels, output[:, 1])
    assert read(auc.METRIC, output, labels).value == pytest.approx(expected)


def test_auc_of_two_logits_ranks_their_difference() -> None:
    logits, labels = np.random.default_rng(0).normal(size=(80, 2)) * 5, np.arange(80) % 2
    expected = sklearn.roc_auc_score(labels, softmax(logits)[:, 1])
    assert read(auc.METRIC, logits, labels).value == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_auc_of_many_classes_is_one_against_the_rest(seed: int) -> None:
    output, labels = classifier(seed)
    expected = sklearn.roc_auc_score(labels, output.astype(float), multi_class="ovr")
    assert read(auc.METRIC, output, labels).value == pytest.approx(expected, abs=1e-4)


def test_auc_of_many_classes_leaves_out_those_without_labels() -> None:
    output, labels = classifier(7)
    some = labels < 4
    expected = np.mean(
        [sklearn.roc_auc_score(labels[some] == c, output[some, c]) for c in range(4)]
    )
    assert read(auc.METRIC, output[some], labels[some]).value == pytest.approx(expected)


def test_auc_by_reconstruction_ranks_the_mean_squared_error() -> None:
    random = np.random.default_rng(11)
    inputs, labels = random.normal(size=(40, 4, 5)), np.arange(40) % 2
    output = inputs + random.normal(size=inputs.shape) * (1 + 0.2 * labels[:, None, None])
    expected = sklearn.roc_auc_score(labels, ((inputs - output) ** 2).mean(axis=(1, 2)))
    flat = output.reshape(40, 20)
    for given_output in (output, flat):
        reading = read(
            auc.METRIC, given_output, labels, score="reconstruction", inputs={"x": inputs}
        )
        assert reading.value == pytest.approx(expected)


def test_auc_by_reconstruction_needs_an_output_as_large_as_the_input() -> None:
    output, labels = scores(0)
    with pytest.raises(ModelError, match=r"as large as its input; 'y' has 1 number"):
        read(auc.METRIC, output, labels, score="reconstruction", inputs={"x": np.zeros((50, 3))})


@pytest.mark.parametrize("label", [0, 1])
def test_auc_of_one_class_is_refused(label: int) -> None:
    with pytest.raises(ModelError, match=rf"two classes; all 9 labels are {label}"):
        read(auc.METRIC, np.linspace(0, 1, 9), np.full(9, label))


def test_the_interval_of_auc_is_that_of_the_r_package_single_case_es() -> None:
    # NAP(c(20, 20, 26, 25, 22, 23), c(28, 25, 24, 27, 30, 30, 29)) of SingleCaseES.
    output, labels = np.array([20, 20, 26, 25, 22, 23, 28, 25, 24, 27, 30, 30, 29.0]), [0] * 6
    reading = read(auc.METRIC, output, np.array([*labels, *[1] * 7]))
    assert (reading.value, reading.low, reading.high) == pytest.approx(
        (0.9166666666666666, 0.5973193600384168, 0.9859976893703788), abs=1e-9
    )


@pytest.mark.parametrize(("shift", "samples"), [(0.0, 30), (1.0, 30), (2.5, 15)])
def test_the_interval_of_auc_holds_the_true_area_19_times_in_20(shift: float, samples: int) -> None:
    # Two normal distributions a shift apart: the area is Phi(shift / sqrt 2).
    truth = 0.5 * (1 + math.erf(shift / 2))
    random, labels, held = np.random.default_rng(1), np.arange(2 * samples) % 2, 0
    for _ in range(400):
        reading = read(auc.METRIC, random.normal(size=2 * samples) + shift * labels, labels)
        held += reading.low <= truth <= reading.high
    assert 0.92 < held / 400 <= 0.99
