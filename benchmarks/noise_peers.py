"""
The rules of pytest-benchmark and edgegate on recorded traces, by their own code.

`noise.py --peers` runs this file with the Python of a temporary environment that has both:
traces as JSON on stdin, lines of a table on stdout. Each comparison takes one process a
version, as both do: its runs before, its runs now.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from edgegate.compare import evaluate, status
from edgegate.measure import latency_stats
from pytest_benchmark.stats import Stats
from pytest_benchmark.utils import PercentageRegressionCheck

WARMUP, ITERATIONS = 20, 200  # edgegate's defaults
Rule = tuple[str, Callable[[Sequence[float]], Any], Callable[[Any, Any, float], bool]]
"""Its name, what it keeps of a process, and whether it is red (before, now, limit)."""


def _benchmark(times: Sequence[float]) -> dict[str, Any]:
    stats = Stats()
    for each in times:
        stats.update(each)
    return {field: getattr(stats, field) for field in ("min", "median", "mean")}


def _fails(field: str) -> Callable[[Any, Any, float], bool]:
    """--benchmark-compare-fail=FIELD:N%, which the command line takes in whole percents."""

    def red(before: Any, now: Any, limit: float) -> bool:
        return bool(PercentageRegressionCheck(field, 100 * limit).fails(now, before))

    return red


def _edgegate(times: Sequence[float]) -> dict[str, Any]:
    runs = times[WARMUP : WARMUP + ITERATIONS]
    return {
        "latency_ms": latency_stats([1e3 * each for each in runs]),
        "memory": {},
        "model": {"sha256": ""},
        "device": {"name": ""},
    }


def _gate(**floor: float) -> Callable[[Any, Any, float], bool]:
    def red(before: Any, now: Any, limit: float) -> bool:
        thresholds = {"latency_p99_regression_pct": 100 * limit, **floor}
        return bool(status(evaluate(now, thresholds, before)) == "fail")

    return red


RULES: tuple[Rule, ...] = (
    ("pytest-benchmark min", _benchmark, _fails("min")),
    ("pytest-benchmark median", _benchmark, _fails("median")),
    ("pytest-benchmark mean", _benchmark, _fails("mean")),
    ("edgegate p99", _edgegate, _gate()),
    ("edgegate p99, no floor", _edgegate, _gate(latency_regression_floor_ms=0.0)),
)


def table(asked: dict[str, Any]) -> Iterator[str]:
    """One line a case: how often each rule is red."""
    for ratio, limit in asked["cases"]:
        shares = []
        for name, keep, red in RULES:
            base = [keep(times) for times in asked["base"]]
            new = [keep([ratio * each for each in times]) for times in asked["new"]]
            count = sum(red(base[i], new[j], limit) for i, j in asked["pairs"])
            shares.append(f"{name} {100 * count / len(asked['pairs']):5.1f} %")
        what = "A/A" if ratio == 1 else f"{100 * (ratio - 1):+.0f} %"
        yield f"  true {what:5} limit {100 * limit:3.1f} %: red by {'  '.join(shares)}"


if __name__ == "__main__":
    print(*table(json.load(sys.stdin)), sep="\n")
