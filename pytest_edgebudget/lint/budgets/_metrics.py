"""What is known of a metric by its name; of an extension's, and of a user's own, nothing."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from pytest_edgebudget.metrics import BUILT_IN
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.types import Better


@functools.cache
def built_in() -> Mapping[str, Metric]:
    """The built-in metrics by name."""
    return {metric.name: metric for metric in BUILT_IN}


def quality(name: str) -> bool:
    """Whether the metric says how good a model is; users' own metrics do."""
    from pytest_edgebudget.facts import Predictions

    metric = built_in().get(name)
    return metric is None or metric.needs is Predictions


def higher_is_better(metric: Metric) -> bool:
    """Its direction."""
    return metric.better is Better.HIGHER
