"""One limit: its short or its long form, to bounds in the metric's SI unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_edgebudget.budget.grammar import Key, Kind
from pytest_edgebudget.budget.mistakes import Mistakes, suggest
from pytest_edgebudget.budget.structure import checked_table
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.budget.values import Values
from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.metrics.base import Metric, Option
from pytest_edgebudget.types import Better, Evidence, Limit, Tolerance, Unit


@dataclass(frozen=True, slots=True)
class Settings:
    """How limits are judged when they do not say: the ``[defaults]`` table."""

    level: str = "error"
    undecided: str = "pass"
    when_missing: str = "fail"
    max_regression: Tolerance | None = None
    min_change: Tolerance | None = None
    anchor: str = ""
    ratchet: bool = False
    confidence: float | None = None

    def over(self, values: Values, unit: Unit | None) -> Settings:
        """The settings in *values*, over these; with *unit* None tolerances are relative."""
        return Settings(
            level=values.text("level", self.level),
            undecided=values.text("undecided", self.undecided),
            when_missing=values.text("when_missing", self.when_missing),
            max_regression=values.tolerance("max_regression", unit) or self.max_regression,
            min_change=values.tolerance("min_change", unit) or self.min_change,
            anchor=values.text("anchor", self.anchor),
            ratchet=values.flag("ratchet", default=self.ratchet),
            confidence=values.confidence("confidence") or self.confidence,
        )


@dataclass(frozen=True, slots=True)
class LimitReader:
    """Reads limits; what is wrong with them goes to *mistakes*."""

    defaults: Settings
    mistakes: Mistakes

    def read(self, node: Node, metric: Metric) -> tuple[Limit, ...]:
        """The limit at *node*, and the one of its worst slice if it asks for that."""
        before = len(self.mistakes.found)
        values = Values(self._table(node, metric), self.mistakes)
        limit = self._limit(values, metric)
        slices = self._slices(values, limit, metric)
        if len(self.mistakes.found) == before:
            _check(values, limit, metric)
        return (limit, *slices)

    def _table(self, node: Node, metric: Metric) -> Node:
        if not isinstance(node.value, dict):
            bound = "max" if metric.better is Better.LOWER else "min"
            node = Node({bound: node}, node.place)
        options = [option_key(option) for option in metric.options if option.name != "slices"]
        return checked_table(node, "LIMIT", self.mistakes, options)

    def _limit(self, values: Values, metric: Metric) -> Limit:
        defaults = replace(self.defaults, level="warn") if metric.informs else self.defaults
        settings = defaults.over(values, metric.unit)
        return Limit(
            metric=metric.name,
            max=_bound(values, "max", metric),
            min=_bound(values, "min", metric),
            max_drop=values.tolerance("max_drop", metric.unit),
            max_regression=settings.max_regression,
            min_change=settings.min_change,
            anchor=settings.anchor if settings.max_regression else "",
            ratchet=settings.ratchet,
            evidence=self._evidence(values.table, metric),
            level=settings.level,
            undecided=settings.undecided,
            when_missing=settings.when_missing,
            confidence=None if metric.exact else settings.confidence,
            options=_options(values.table, metric),
            place=values.table.place,
        )

    def _slices(self, values: Values, limit: Limit, metric: Metric) -> tuple[Limit, ...]:
        """The limit of the worst slice: the same bounds, unless it has its own."""
        if not values.has("slices"):
            for key in ("slices_max", "slices_min"):
                values.refuse(key, 'needs slices, such as slices = "speaker"')
            return ()
        if metric.needs is not Predictions:
            values.refuse("slices", f"{metric.name} is not judged sample by sample")
        low = _bound(values, "slices_min", metric)
        high = _bound(values, "slices_max", metric)
        worst = replace(
            limit,
            min=limit.min if low is None else low,
            max=limit.max if high is None else high,
            options=(*limit.options, ("slices", values.text("slices", ""))),
        )
        _check_order(values, worst, "slices_max" if low is None else "slices_min")
        return (worst,)

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


def _bound(values: Values, key: str, metric: Metric) -> float | None:
    """A bound that a reading can meet."""
    value = values.quantity(key, metric.unit)
    if value is None:
        return None
    least, most = metric.extent
    if value < 0 and metric.better is Better.LOWER:
        values.refuse(key, "a negative limit makes no sense here")
    elif not least <= value <= most:
        values.refuse(key, f"{metric.name} lies in {least:g}..{most:g}", "no reading is beyond it")
    return value


def _check(values: Values, limit: Limit, metric: Metric) -> None:
    """Note keys that contradict each other or the metric."""
    _check_order(values, limit, "min")
    if not metric.droppable:
        values.refuse(
            "max_drop",
            f"{metric.name} is not compared with the source model",
            "max_regression compares with the lock",
        )
    if metric.informs and limit.level != "warn":
        values.refuse("level", f"{metric.name} is information: its limits are warnings")
    if metric.exact:
        for key in ("confidence", "evidence"):
            values.refuse(key, f"{metric.name} is computed: it is always exact")
    if limit.max_regression is None and not limit.ratchet:
        values.refuse("min_change", "needs max_regression or ratchet")
    if limit.max_regression is None:
        values.refuse("anchor", "needs max_regression")
    bounds = (limit.max, limit.min, limit.max_drop, limit.max_regression)
    if all(bound is None for bound in bounds) and not limit.ratchet:
        hint = "give max, min, max_drop, max_regression or ratchet"
        values.mistakes.add(limit.place, "limits nothing", hint)


def _check_order(values: Values, limit: Limit, key: str) -> None:
    if limit.min is not None and limit.max is not None and limit.min > limit.max:
        values.refuse(key, "nothing can keep this limit: its min is above its max")
