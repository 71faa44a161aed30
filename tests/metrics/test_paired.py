"""Two models compared sample by sample; bootstraps against scipy's and scikit-learn's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.metrics import accuracy, auc, cosine, f1, mae, mse, top_k
from pytest_edgebudget.metrics._paired import LISTED, moved, paired
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.types import Drop
from tests.metrics.samples import classifier, scores

np = pytest.importorskip("numpy", reason="quality metrics compute with numpy")


def of(metric: Metric, before: Any, after: Any, labels: Any, **options: Any) -> Drop | None:
    facts = Predictions({"y": after}, {}, {"": labels}, source={"renamed": before})
    return paired(metric, facts, {**metric.defaults(), **options})


def drop(metric: Metric, before: Any, after: Any, labels: Any, **options: Any) -> Drop:
    found = of(metric, before, after, labels, **options)
    assert found is not None
    return found


def disturbed(before: Any, seed: int, by: float) -> Any:
    return before + np.random.default_rng(seed).normal(scale=by, size=before.shape)


def bootstrapped(statistic: Callable[..., float], *arrays: Any) -> tuple[float, float]:
    """scipy's own interval of a statistic of paired samples."""
    stats = pytest.importorskip("scipy.stats", reason="scipy is what it is compared with")
    found = stats.bootstrap(
        arrays, statistic, paired=True, vectorized=False, n_resamples=400,
        method="percentile", confidence_level=0.9, rng=np.random.default_rng(1),
    )  # fmt: skip
    return found.confidence_interval.low, found.confidence_interval.high


def test_flipped_answers_are_counted_and_named_by_their_places() -> None:
    before, labels = classifier(1, samples=400)
    after = disturbed(before, 2, 0.15)
    right, now = before.argmax(1) == labels, after.argmax(1) == labels
    found = drop(accuracy.METRIC, before, after, labels)

    assert found.exact
    assert found.samples == 400
    assert found.worse_at == tuple(np.flatnonzero(right & ~now))
    assert found.better_at == tuple(np.flatnonzero(~right & now))
    assert (found.worse, found.better) == (len(found.worse_at), len(found.better_at))
    assert found.value == pytest.approx(right.mean() - now.mean())
    assert found.low < found.value < found.high
    assert drop(top_k.METRIC, before, after, labels, k=1) == found


def test_no_more_places_are_named_than_a_report_can_hold() -> None:
    before, labels = classifier(1, samples=1200)
    found = drop(accuracy.METRIC, before, np.roll(before, 1, axis=1), labels)

    assert found.worse is not None
    assert found.worse > LISTED == len(found.worse_at)


def test_places_are_those_of_the_split_where_only_some_samples_ran() -> None:
    before, labels = classifier(1, samples=400)
    found = drop(accuracy.METRIC, before, disturbed(before, 2, 0.15), labels)
    there = moved(found, 3)

    assert there is not None
    assert there.worse_at == tuple(3 * place for place in found.worse_at)
    assert there.value == found.value


def test_answers_at_several_positions_of_a_sample_are_resampled_by_samples() -> None:
    before, labels = classifier(1, samples=400)
    after = disturbed(before, 2, 0.15)
    shaped = [each.reshape(100, 4, *each.shape[1:]) for each in (before, after, labels)]
    found = drop(accuracy.METRIC, *shaped, confidence=0.9)
    share = [(each.argmax(-1) == shaped[2]).mean(axis=1) for each in shaped[:2]]

    assert not found.exact
    assert found.worse is None
    assert (found.low, found.high) == pytest.approx(
        bootstrapped(lambda x, y: float(x.mean() - y.mean()), *share), abs=0.01
    )


@pytest.mark.parametrize(("metric", "power"), [(mae.METRIC, 1), (mse.METRIC, 2)])
def test_a_rise_of_an_error_is_resampled_in_pairs(metric: Metric, power: int) -> None:
    random = np.random.default_rng(3)
    labels = random.normal(size=(300, 2))
    before, after = labels + random.normal(size=(300, 2)), labels + random.normal(size=(300, 2))
    errors = [(np.abs(each - labels) ** power).mean(axis=1) for each in (before, after)]
    found = drop(metric, before, after, labels, confidence=0.9)

    assert found.value == pytest.approx(errors[1].mean() - errors[0].mean())
    assert (found.low, found.high) == pytest.approx(
        bootstrapped(lambda x, y: float(y.mean() - x.mean()), *errors), abs=0.02 * power**2
    )


def test_a_drop_of_f1_is_resampled_in_pairs() -> None:
    sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn's F1 is the reference")
    before, labels = classifier(1, samples=200, classes=3)
    after = disturbed(before, 2, 0.3)

    def fell(x: Any, y: Any, truth: Any) -> float:
        lost, kept = (sklearn.f1_score(truth, each, average="macro") for each in (y, x))
        return float(kept - lost)

    found = drop(f1.METRIC, before, after, labels, confidence=0.9)

    assert found.value == pytest.approx(fell(before.argmax(1), after.argmax(1), labels))
    assert (found.low, found.high) == pytest.approx(
        bootstrapped(fell, before.argmax(1), after.argmax(1), labels), abs=0.02
    )


def test_a_drop_of_auc_is_resampled_in_pairs() -> None:
    sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn's AUC is the reference")
    before, labels = scores(1, samples=200)
    after = disturbed(before, 2, 0.3)

    def fell(x: Any, y: Any, truth: Any) -> float:
        return float(sklearn.roc_auc_score(truth, x) - sklearn.roc_auc_score(truth, y))

    found = drop(auc.METRIC, before, after, labels, confidence=0.9)

    assert found.value == pytest.approx(fell(before, after, labels))
    assert (found.low, found.high) == pytest.approx(
        bootstrapped(fell, before, after, labels), abs=0.02
    )


def test_pairs_are_surer_than_two_intervals_of_their_own() -> None:
    before, labels = classifier(1, samples=400)
    after = disturbed(before, 2, 0.03)
    found = drop(accuracy.METRIC, before, after, labels)
    alone = accuracy.METRIC.read(Predictions({"y": after}, {}, {"": labels}), {})

    assert alone.low is not None
    assert alone.high is not None
    assert found.high - found.low < (alone.high - alone.low) / 2


def test_there_is_no_drop_where_nothing_can_be_compared() -> None:
    before, labels = classifier(1, samples=12)

    assert of(accuracy.METRIC, before, before, labels) is not None
    assert of(accuracy.METRIC, np.zeros((12, 2)), before, labels) is None  # the source's own error
    assert of(f1.METRIC, before, before, labels) is None  # too few to be resampled
    assert of(mae.METRIC, before + np.inf, before, before) is None
    assert of(cosine.METRIC, before, before, labels) is None
    assert paired(accuracy.METRIC, Predictions({"y": before}, {}, {"": labels}), {}) is None
