"""One limit: its short or its long form, to bounds in the metric's SI unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from pytest_edgebudget.budget.grammar import Key, Kind
from pytest_edgebudget.budget.mistakes import Mistakes, suggest
from pytest_edgebudget.budget.structure import checked_table
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.metrics.base import Metric, Option
from pytest_edgebudget.types import Better, Evidence, Limit, Tolerance, Unit
from pytest_edgebudget.units import parse, parse_tolerance

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """How limits are judged when they do not say: the ``[defaults]`` table."""

    level: str = "error"
    undecided: str = "pass"
    when_missing: str = "fail"
    max_regression: Tolerance | None = None
    min_change: Tolerance | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class LimitReader:
    """Reads limits; what is wrong with them goes to *mistakes*."""

    defaults: Settings
    mistakes: Mistakes

    def read(self, node: Node, metric: Metric) -> tuple[Limit, ...]:
        """The limit at *node*, and the one of its worst slice if it asks for that."""
        before = len(self.mistakes.found)
        table = self._table(node, metric)
        limit = self._limit(table, metric)
        slices = self._slices(table, limit, metric)
        if len(self.mistakes.found) == before:
            self._contradictions(table, limit, metric)
        return (limit, *slices)

    def settings(self, table: Node, unit: Unit | None) -> Settings:
        """The judging settings in *table*; with *unit* None tolerances are relative."""
        words = {
            name: table.table[name].text
            for name in ("level", "undecided", "when_missing")
            if name in table.table
        }
        return replace(
            self.defaults,
            **words,
            max_regression=self._tolerance(table, "max_regression", unit)
            or self.defaults.max_regression,
            min_change=self._tolerance(table, "min_change", unit) or self.defaults.min_change,
            confidence=self._value(table, "confidence", _confidence) or self.defaults.confidence,
        )

    def _table(self, node: Node, metric: Metric) -> Node:
        if not isinstance(node.value, dict):
            bound = "max" if metric.better is Better.LOWER else "min"
            node = Node({bound: node}, node.place)
        options = [option_key(option) for option in metric.options if option.name != "slices"]
        return checked_table(node, "LIMIT", self.mistakes, options)

    def _limit(self, table: Node, metric: Metric) -> Limit:
        settings = self.settings(table, metric.unit)
        return Limit(
            metric=metric.name,
            max=self._bound(table, "max", metric),
            min=self._bound(table, "min", metric),
            max_drop=self._tolerance(table, "max_drop", metric.unit),
            max_regression=settings.max_regression,
            min_change=settings.min_change,
            evidence=self._evidence(table, metric),
            level=settings.level,
            undecided=settings.undecided,
            when_missing=settings.when_missing,
            confidence=None if metric.exact else settings.confidence,
            options=_options(table, metric),
            place=table.place,
        )

    def _slices(self, table: Node, limit: Limit, metric: Metric) -> tuple[Limit, ...]:
        node = table.table.get("slices")
        if node is None:
            for key in ("slices_max", "slices_min"):
                self._refuse(table, key, 'needs slices, such as slices = "speaker"')
            return ()
        if metric.needs is not Predictions:
            self._refuse(table, "slices", f"{metric.name} is not judged sample by sample")
        low, high = (self._bound(table, key, metric) for key in ("slices_min", "slices_max"))
        worst = replace(
            limit,
            min=limit.min if low is None else low,
            max=limit.max if high is None else high,
            options=(*limit.options, ("slices", node.text)),
        )
        self._order(table, worst, "slices_min" if low is not None else "slices_max")
        return (worst,)

    def _contradictions(self, table: Node, limit: Limit, metric: Metric) -> None:
        self._order(table, limit, "min")
        if not metric.droppable:
            self._refuse(
                table,
                "max_drop",
                f"{metric.name} is not compared with the source model",
                "max_regression compares with the lock",
            )
        if metric.exact:
            for key in ("confidence", "evidence"):
                self._refuse(table, key, f"{metric.name} is computed: it is always exact")
        if limit.max_regression is None:
            self._refuse(table, "min_change", "needs max_regression")
        bounds = (limit.max, limit.min, limit.max_drop, limit.max_regression)
        if all(bound is None for bound in bounds):
            self.mistakes.add(
                limit.place, "limits nothing", "give max, min, max_drop or max_regression"
            )

    def _order(self, table: Node, limit: Limit, key: str) -> None:
        if limit.min is not None and limit.max is not None and limit.min > limit.max:
            place = table.table.get(key, table).place
            self.mistakes.add(place, "nothing can keep this limit: its min is above its max")

    def _refuse(self, table: Node, key: str, message: str, hint: str = "") -> None:
        if key in table.table:
            self.mistakes.add(table.table[key].place, message, hint)

    def _bound(self, table: Node, key: str, metric: Metric) -> float | None:
        value = self._value(table, key, lambda written: parse(written, metric.unit))
        if value is not None and value < 0 and metric.better is Better.LOWER:
            self._refuse(table, key, "a negative limit makes no sense here")
        return value

    def _tolerance(self, table: Node, key: str, unit: Unit | None) -> Tolerance | None:
        return self._value(
            table,
            key,
            lambda written: parse_tolerance(written, unit) if unit else _relative(written),
        )

    def _value(self, table: Node, key: str, read: Callable[[str | float], T]) -> T | None:
        node = table.table.get(key)
        if node is None or not isinstance(node.value, str | int | float):
            return None
        try:
            return read(node.value)
        except ValueError as error:
            self.mistakes.add(node.place, str(error))
            return None

    def _evidence(self, table: Node, metric: Metric) -> tuple[Evidence, ...]:
        node = table.table.get("evidence")
        if node is None:
            return metric.accepts
        known = {evidence.value: evidence for evidence in Evidence}
        for element in node.elements:
            if element.text not in known:
                message = f'there is no evidence "{element.text}"'
                self.mistakes.add(element.place, message, suggest(element.text, known))
        if not node.elements:
            self.mistakes.add(node.place, "the list is empty: no evidence would count")
        return tuple(known[e.text] for e in node.elements if e.text in known)


def _confidence(written: str | float) -> float:
    value = parse(written, Unit.FRACTION)
    if not 0.5 < value < 1:
        raise ValueError("a confidence lies between 0.5 and 1, such as 0.95")
    return value


def _relative(written: str | float) -> Tolerance:
    """A tolerance for metrics of any unit."""
    if isinstance(written, str) and written.strip().endswith("%"):
        return parse_tolerance(written, Unit.FRACTION)
    raise ValueError('for all metrics alike it is relative: write "2%"')


def option_key(option: Option) -> Key:
    """The key of a metric's own option."""
    kinds = {int: Kind.INTEGER, float: Kind.NUMBER, str: Kind.TEXT}
    kind = Kind.CHOICE if option.choices else kinds[option.type]
    return Key(f"LIMIT.{option.name}", kind, option.help, choices=option.choices)


def _options(table: Node, metric: Metric) -> tuple[tuple[str, float | int | str], ...]:
    """The options that the limit carries, in the metric's order; defaults are the metric's."""
    names = [option.name for option in metric.options if option.name != "slices"]
    given = {name: table.table[name].value for name in names if name in table.table}
    return tuple(
        (name, value) for name, value in given.items() if isinstance(value, str | int | float)
    )
