"""Quality metrics against scikit-learn, on the shapes that models and data come in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="quality metrics compute with numpy")
sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn says what is right")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from pytest_edgebudget.errors import ModelError  # noqa: E402
from pytest_edgebudget.facts import Predictions  # noqa: E402
from pytest_edgebudget.metrics import (  # noqa: E402
    accuracy,
    auc,
    cosine,
    f1,
    mae,
    mse,
    top_k,
)
from pytest_edgebudget.metrics.base import Metric, Value  # noqa: E402
from pytest_edgebudget.types import Better  # noqa: E402

METRICS = [module.METRIC for module in (accuracy, auc, cosine, f1, mae, mse, top_k)]
LABELLED = [metric for metric in METRICS if metric is not cosine.METRIC]

SEEDS = st.integers(0, 10_000)


def read(metric: Metric, output: Any, labels: Any = None, /, **options: Any) -> Value:
    named = {"y": output} if not isinstance(output, Mapping) else output
    inputs = options.pop("inputs", {})
    keyed = {} if labels is None else labels if isinstance(labels, Mapping) else {"": labels}
    predictions = Predictions(outputs=named, inputs=inputs, labels=keyed)
    return metric.read(predictions, {**metric.defaults(), **options})


def softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def classifier(seed: int, samples: int = 60, classes: int = 6) -> tuple[Any, Any]:
    """Probabilities that are right more often than not, and labels with every class."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(samples) % classes)
    logits = random.normal(size=(samples, classes))
    logits[np.arange(samples), labels] += 1
    return softmax(logits).astype(np.float32), labels


def scores(seed: int, samples: int = 50, levels: int = 8) -> tuple[Any, Any]:
    """Scores on few levels, so that many are tied, and labels 0 and 1."""
    random = np.random.default_rng(seed)
    labels = np.arange(samples) % 2
    return (random.integers(0, levels, samples) + 2 * labels) / (levels + 2), labels


# --- accuracy, top_k -----------------------------------------------------------


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


# --- f1 --------------------------------------------------------------------------


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


# --- auc -------------------------------------------------------------------------


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


# --- mae, mse, cosine ---------------------------------------------------------------


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


# --- which output, which labels -------------------------------------------------------


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


# --- outputs that are not numbers ------------------------------------------------------


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
