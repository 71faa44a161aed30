"""Published rows: read, joined to their features, and which of them may be shipped."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.estimate.features import published
from pytest_edgebudget.estimate.pools import domain_of, pool_of, vector

SHIPPED = Path(__file__).parent / "published"
"""The rows in the package, ``latency.csv`` and ``features.csv``, and the table fitted to them."""

LICENCES = {
    "mlcommons/": "Apache-2.0",
    "Tencent/ncnn": "BSD-3-Clause",
    "google/XNNPACK": "BSD-3-Clause",
    "tensorflow/": "Apache-2.0",
    "google/automl": "Apache-2.0",
    "NobuoTsukamoto/benchmarks": "MIT",
    "PaddlePaddle/Paddle-Lite": "Apache-2.0",
    "NVIDIA-AI-IOT/torch2trt": "MIT",
    "AminHasanpour/EdgeMark": "MIT",
    "sipeed/TinyMaix": "Apache-2.0",
}
"""Sources under a permissive licence, by the start of their name."""


def licence(row: Mapping[str, str]) -> str:
    """The licence of a row's source; "" where it is not permissive, or not known."""
    return next((name for start, name in LICENCES.items() if row["source"].startswith(start)), "")


def read_rows(path: Path) -> list[dict[str, str]]:
    """
    The rows of a CSV file.

    Raises:
        EdgeBudgetError: the file is not there or is no text.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EdgeBudgetError(
            f"{path}: published rows cannot be read: {error}",
            "name a folder with latency.csv and features.csv",
        ) from None


def joined(folder: Path) -> list[tuple[dict[str, str], str, tuple[float, ...]]]:
    """
    Each row of ``latency.csv``, its pool, and its vector from ``features.csv``.

    Raises:
        EdgeBudgetError: a file is missing, a row lacks a column, or has no features.
    """
    features = {(r["model"], r["precision"]): r for r in read_rows(folder / "features.csv")}
    rows = [row for row in read_rows(folder / "latency.csv") if row["latency_ms"]]
    try:
        return [_join(row, features[row["model"], row["precision"]]) for row in rows]
    except (KeyError, ValueError) as error:
        raise EdgeBudgetError(
            f"{folder}: a published row is damaged: {error}",
            "latency.csv and features.csv belong together",
        ) from None


def _join(
    row: dict[str, str], features: Mapping[str, str]
) -> tuple[dict[str, str], str, tuple[float, ...]]:
    pool = pool_of(row)
    counts = published(features)
    return row, pool, vector(counts, domain_of(pool), float(features["bytes_per_element"]))


def of_domain(
    rows: Iterable[tuple[dict[str, str], str, tuple[float, ...]]], pools: Sequence[str]
) -> list[tuple[dict[str, str], str, tuple[float, ...]]]:
    """The rows of some pools."""
    return [row for row in rows if row[1] in pools]
