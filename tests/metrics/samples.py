"""What a model may have answered, and how a metric reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.metrics.base import Metric, Value

np = pytest.importorskip("numpy", reason="quality metrics compute with numpy")


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
