"""One metric a file; this table names them all."""

from pytest_edgebudget.metrics import (
    accuracy,
    auc,
    cold_start,
    cosine,
    download_size,
    f1,
    instructions,
    latency,
    latency_p95,
    latency_p99,
    macs,
    mae,
    mse,
    parameters,
    ram,
    size,
    top_k,
)
from pytest_edgebudget.metrics.base import Metric as Metric

BUILT_IN: tuple[Metric, ...] = (
    size.METRIC,
    download_size.METRIC,
    macs.METRIC,
    parameters.METRIC,
    ram.METRIC,
    latency.METRIC,
    latency_p95.METRIC,
    latency_p99.METRIC,
    cold_start.METRIC,
    instructions.METRIC,
    accuracy.METRIC,
    top_k.METRIC,
    f1.METRIC,
    auc.METRIC,
    mae.METRIC,
    mse.METRIC,
    cosine.METRIC,
)
