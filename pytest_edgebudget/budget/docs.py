"""
The tables of ``docs/budget-file.md``: generated from `grammar` and the metrics.

``python -m pytest_edgebudget.budget.docs docs/budget-file.md`` writes them anew
between their markers; a test fails when they are stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pytest_edgebudget.budget.grammar import KEYS, Key, Kind
from pytest_edgebudget.budget.schema import built_in
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.types import Better
from pytest_edgebudget.units import EXAMPLES

_PLACES = {"": "At the top", "LIMIT": "In the long form of a limit"}


def render(page: str, registry: Registry) -> str:
    """*page* with its tables as they are now."""
    for name, table in (("keys", _keys()), ("metrics", _metrics(registry))):
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->\n"
        before, _, rest = page.partition(begin)
        page = before + begin + table + end + rest.partition(end)[2]
    return page


def _keys() -> str:
    """One table of keys for each table of the file that has values in it."""
    values = [key for key in KEYS if key.kind is not Kind.TABLE]
    tables = dict.fromkeys(key.table for key in values)
    return "\n".join(
        f"### {_PLACES.get(table, f'`[{table}]`')}\n\n"
        + _markdown(
            ("key", "what it is", "example", "default"),
            [_row(key) for key in values if key.table == table],
        )
        for table in tables
    )


def _row(key: Key) -> tuple[str, ...]:
    default = "required" if key.required else key.default
    return f"`{key.name}`", key.help + _choices(key), f"`{key.example}`", default


def _choices(key: Key) -> str:
    if not key.choices:
        return ""
    some = "Some" if key.kind is Kind.TEXTS else "One"
    return f" {some} of {', '.join(f'`{word}`' for word in key.choices)}."


def _metrics(registry: Registry) -> str:
    header = ("metric", "what it is", "a limit", "short form", "keys of its own")
    return _markdown(header, [_metric(metric) for metric in registry.metrics.values()])


def _metric(metric: Metric) -> tuple[str, ...]:
    summary = metric.doc.partition("\n\n")[0].replace("\n", " ")
    bound = "max" if metric.better is Better.LOWER else "min"
    options = [f"`{option.name}`: {option.help}" for option in metric.options]
    return f"`{metric.name}`", summary, f"`{EXAMPLES[metric.unit]}`", bound, "; ".join(options)


def _markdown(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(render(path.read_text(encoding="utf-8"), built_in()), encoding="utf-8")
