"""A user's own metric: what its function is given, and what it may return."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.errors import ModelError, Place
from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.metrics.base import Value
from pytest_edgebudget.metrics.own import own_metric
from pytest_edgebudget.types import Better, FunctionRef, OwnMetric

np = pytest.importorskip("numpy", reason="own metrics are given numpy arrays")

MODULE = """
import numpy as np

def largest_error(outputs, labels, inputs):
    return np.abs(outputs - labels).max()

def without_labels(outputs, labels, inputs):
    assert labels is None
    return int((outputs == inputs).all())

def by_name(outputs, labels, inputs):
    assert list(outputs) == ["a/b:0", "c"], outputs
    return float(outputs["a/b:0"].sum() + 10 * labels["c"].sum())

def broken(outputs, labels, inputs):
    scale = 0
    return outputs / scale["no"]

def returns(outputs, labels, inputs):
    kind = int(outputs[0])
    return [None, "0.9", True, np.ones(3), float("nan"), [1.0], {}][kind]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "scores.py").write_text(MODULE)
    return tmp_path


def read(root: Path, function: str, **facts: Any) -> Value:
    place = Place(root / "pi4.toml", 7)
    own = OwnMetric("quality", FunctionRef("scores", function), Better.HIGHER, place)
    metric = own_metric(own, root)
    arrays: dict[str, Any] = {"inputs": {}, "labels": {}, **facts}
    return metric.read(Predictions(**arrays), {})


def test_a_function_is_given_the_arrays_themselves(root: Path) -> None:
    outputs, labels = np.array([1.0, 5.0]), np.array([1, 2])
    value = read(root, "largest_error", outputs={"y": outputs}, labels={"": labels})
    assert value == Value(3.0)


def test_labels_are_none_where_the_data_have_none(root: Path) -> None:
    x = np.arange(6.0).reshape(2, 3)
    assert read(root, "without_labels", outputs={"y": x}, inputs={"x": x}) == Value(1.0)


def test_several_outputs_come_by_name_in_the_order_of_the_model(root: Path) -> None:
    outputs = {"a/b:0": np.ones(3), "c": np.zeros(3)}
    labels = {"c": np.ones(3), "a/b:0": np.zeros(3)}
    assert read(root, "by_name", outputs=outputs, labels=labels) == Value(33.0)


def test_an_error_in_the_function_names_its_line(root: Path) -> None:
    line = 1 + MODULE.split("\n").index('    return outputs / scale["no"]')
    with pytest.raises(ModelError) as raised:
        read(root, "broken", outputs={"y": np.ones(2)})
    assert raised.value.message.startswith("while computing the metric quality with scores:broken")
    assert "TypeError: 'int' object is not subscriptable" in raised.value.message
    assert f"{root / 'scores.py'}:{line}" in raised.value.hint


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (0, "scores:returns returned NoneType, not a number"),
        (1, "scores:returns returned str, not a number"),
        (2, "scores:returns returned bool, not a number"),
        (3, r"scores:returns returned an array of shape \(3,\), not a number"),
        (4, "scores:returns returned nan, not a finite number"),
        (6, "scores:returns returned dict, not a number"),
    ],
)
def test_what_is_no_number_is_refused_with_a_sentence(root: Path, kind: int, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        read(root, "returns", outputs={"y": np.array([kind])})


def test_an_array_of_one_number_is_a_number(root: Path) -> None:
    assert read(root, "returns", outputs={"y": np.array([5])}) == Value(1.0)


def test_a_misspelt_function_is_named_with_the_one_that_was_meant(root: Path) -> None:
    with pytest.raises(ModelError, match=r"no largest_eror in scores[\s\S]*largest_error\?"):
        read(root, "largest_eror", outputs={"y": np.ones(2)})


def test_a_reading_of_ones_own_is_never_kept_for_the_next_run(root: Path) -> None:
    own = OwnMetric("q", FunctionRef("scores", "broken"), Better.LOWER, Place(root, 1))
    metric = own_metric(own, root)
    assert (metric.cacheable, metric.better) == (False, Better.LOWER)
    assert metric.doc.startswith("A function of yours")
