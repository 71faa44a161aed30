"""Which output is judged by which labels, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.metrics import accuracy, auc, cosine, f1, mae, mse, top_k
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.types import Better
from tests.metrics.samples import classifier, read

np = pytest.importorskip("numpy", reason="quality metrics compute with numpy")
sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn says what is right")

METRICS = [module.METRIC for module in (accuracy, auc, cosine, f1, mae, mse, top_k)]
LABELLED = [metric for metric in METRICS if metric is not cosine.METRIC]


def test_the_output_is_chosen_by_name() -> None:
    (good, labels), (bad, _) = classifier(1), classifier(2)
    outputs, keyed = {"bad": bad, "good": good}, {"bad": labels, "good": labels}
    expected = sklearn.accuracy_score(labels, good.argmax(axis=1))
    assert read(accuracy.METRIC, outputs, keyed, output="good").value == pytest.approx(expected)


def test_without_a_name_the_first_output_with_labels_is_judged() -> None:
    output, labels = classifier(1)
    outputs = {"embedding": np.zeros((60, 8)), "class": output}
    assert read(accuracy.METRIC, outputs, {"class": labels}) == read(
        accuracy.METRIC, output, labels
    )


def test_one_unnamed_y_belongs_to_the_first_output() -> None:
    output, labels = classifier(1)
    outputs = {"class": output, "embedding": np.zeros((60, 8))}
    assert read(accuracy.METRIC, outputs, labels) == read(accuracy.METRIC, output, labels)
    with pytest.raises(ModelError, match="needs labels for the output 'embedding'"):
        read(accuracy.METRIC, outputs, labels, output="embedding")


@pytest.mark.parametrize("metric", LABELLED, ids=lambda metric: metric.name)
@pytest.mark.parametrize(
    ("output", "labels", "options", "sentence"),
    [
        (np.ones((4, 9)), None, {}, r"needs labels \(y_test\), and the data have none"),
        (np.ones((4, 9)), np.zeros(3, int), {}, "there are 4 samples and 3 labels"),
        (np.ones((4, 9)), np.array(["a", "b", "a", "b"]), {}, "labels that are numbers, not <U1"),
        (np.ones((4, 9)), np.zeros((4, 2), int), {}, r"cannot compare labels of shape \(4, 2\)"),
        (np.ones((0, 9)), np.zeros(0, int), {}, "needs samples"),
        (np.ones((4, 9)), np.zeros(4, int), {"output": "z"}, "there is no output 'z'"),
    ],
)
def test_data_that_do_not_fit_are_refused_with_a_sentence(
    metric: Metric, output: Any, labels: Any, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence) as raised:
        read(metric, output, labels, **options)
    assert raised.value.hint


@pytest.mark.parametrize("metric", [accuracy.METRIC, f1.METRIC, auc.METRIC])
@pytest.mark.parametrize(
    ("output", "labels", "sentence"),
    [
        (np.ones((2, 3)), np.array([0, 3]), r"label 3 is not a class[\s\S]*0\.\.2"),
        (np.ones((2, 3)), np.array([0.0, 1.5]), "label 1.5 is not a class"),
        (np.ones((2, 1)), np.array([-1, 1]), r"label -1 is not a class[\s\S]*0\.\.1"),
        (np.ones((2, 3)), np.full((2, 3), 0.3), "must be one-hot"),
        (np.ones((2, 3)), np.array([0, np.nan]), "label nan is not a class"),
    ],
)
def test_labels_that_are_no_classes_are_refused(
    metric: Metric, output: Any, labels: Any, sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        read(metric, output, labels)


@pytest.mark.parametrize("metric", LABELLED, ids=lambda metric: metric.name)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_an_output_that_is_not_finite_never_improves_a_metric(metric: Metric, bad: float) -> None:
    output, labels = classifier(21)
    labels = np.eye(6)[labels] if metric in (mae.METRIC, mse.METRIC) else labels
    spoilt = output.copy()
    spoilt[:5] = bad
    sign = 1 if metric.better is Better.HIGHER else -1
    options = {"k": 2} if metric is top_k.METRIC else {}
    before, after = (read(metric, values, labels, **options) for values in (output, spoilt))
    assert sign * after.value < sign * before.value
    assert after.note == "5 of 60 samples gave NaN or infinity"


def test_cosine_counts_a_sample_that_is_not_finite_as_unrelated() -> None:
    ours = np.ones((4, 3))
    ours[0, 0] = math.nan
    reading = cosine.METRIC.read(Predictions({"y": ours}, {}, {}, {"y": np.ones((4, 3))}), {})
    assert reading.value == pytest.approx(0.75)
    assert reading.note == "1 of 4 samples gave NaN or infinity"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_definition_speaks_of_its_interval_and_never_wraps_late(metric: Metric) -> None:
    assert "Interval:" in metric.doc
    assert max(map(len, metric.doc.splitlines())) <= 100
