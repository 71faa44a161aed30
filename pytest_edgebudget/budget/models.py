"""The tables of one model: what it is, how it may be optimized, what it may cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.budget.files import FileError, check_data, check_model
from pytest_edgebudget.budget.fit_table import FIT, asks_for_fit, check_objective, read_fit
from pytest_edgebudget.budget.later import METRICS, NOT_YET
from pytest_edgebudget.budget.limits import LimitReader
from pytest_edgebudget.budget.load import Loader
from pytest_edgebudget.budget.mistakes import Mistakes, suggest
from pytest_edgebudget.budget.own import function_ref, read_own_metrics, read_waivers
from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.budget.tune_table import check_tuned, read_space
from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.metrics.own import own_metric
from pytest_edgebudget.passes.chains import SOURCES, untrainable, wrong_order
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.types import FitChoice, Limit, ModelBudget, OwnMetric, Recipe, Source

EXPORTED = (".tflite", ".onnx")
"""Files that cannot be trained any more."""

_FLOAT = "an FPGA computes in fixed-point numbers, and the model has none"


@dataclass(frozen=True, slots=True)
class ModelReader:
    """
    Reads the table of a model; what is wrong with it goes to *mistakes*.

    *formats*: what the device runs; Keras models become the first of them.
    """

    registry: Registry
    loader: Loader
    limits: LimitReader
    mistakes: Mistakes
    formats: tuple[str, ...] = ("tflite",)

    def read(self, name: str, node: Node) -> ModelBudget | None:
        """The model's budget; None without a source, which is a mistake noted before."""
        table = node.table
        path = table.get("path")
        data = self._source(table["data"], check_data) if "data" in table else None
        source = self._source(path, check_model) if path else None
        fit = read_fit(table.get("optimize"), table.get("fit"), self.mistakes)
        optimize = self._recipes(table["optimize"], source) if "optimize" in table else ()
        if path and "optimize" not in table and self.formats == ("keras",):
            self.mistakes.add(path.place, _FLOAT, 'write optimize = ["fixed_point(16, 6)"]')
        own = read_own_metrics(_part(node, "metrics"), self.registry.metrics, self.mistakes)
        limits = self._limits(node, own)
        tune = read_space(table.get("tune"), source, self.mistakes)
        check_tuned(table.get("optimize"), optimize, table.get("tune"), source, self.mistakes)
        if fit and (said := self._objective(fit, limits, own)):
            self.mistakes.add(table["fit"].place, said, "such as: accuracy = 0.9 in its budget")
        if "data" not in table:
            self._needs_data(node, limits, optimize)
        if source is None:
            return None
        return ModelBudget(
            name=name,
            source=source,
            data=data,
            optimize=optimize,
            fit=fit,
            tune=tune,
            limits=limits,
            waivers=tuple(read_waivers(_part(node, "waive"), limits, self.mistakes)),
            own_metrics=tuple(own),
            state=table["state"].text if "state" in table else "reset",
            place=node.place,
        )

    def metric(self, name: str, node: Node, own: Mapping[str, Metric]) -> Metric | None:
        """The metric that a limit at *node* names, or a mistake."""
        known = {**own, **self.registry.metrics}
        if name in known:
            return known[name]
        if name in METRICS:
            self.mistakes.add(node.place, f'the metric "{name}" is {NOT_YET}')
        else:
            self.mistakes.add(node.place, f'there is no metric "{name}"', suggest(name, known))
        return None

    def _limits(self, node: Node, own: Iterable[OwnMetric]) -> tuple[Limit, ...]:
        metrics = {metric.name: own_metric(metric, self.loader.root) for metric in own}
        limits: list[Limit] = []
        for name, limit in _part(node, "budget").table.items():
            if metric := self.metric(name, limit, metrics):
                limits += self.limits.read(limit, metric)
        return tuple(limits)

    def _objective(self, fit: FitChoice, limits: Iterable[Limit], own: Iterable[OwnMetric]) -> str:
        metrics = {each.name: own_metric(each, self.loader.root) for each in own}
        return check_objective(fit, limits, {**metrics, **self.registry.metrics})

    def _source(self, node: Node, check: Callable[[Path, str], None]) -> Source | None:
        """The file (checked) or the function that *node* names."""
        if function := function_ref(node.text):
            return function
        path = self.loader.absolute(node.text, node)
        try:
            check(path, node.text)
        except FileError as error:
            self.mistakes.add(node.place, str(error), error.hint)
        except (OSError, ValueError) as error:
            self.mistakes.add(node.place, f"{node.text} cannot be read: {error}")
        return path

    def _recipes(self, node: Node, source: Source | None) -> tuple[Recipe, ...]:
        recipes: dict[Recipe, Node] = {}
        if asks_for_fit(node):
            return ()
        for element in node.elements or (node,):
            if element.text == FIT:
                self.mistakes.add(element.place, '"fit" stands alone', 'write optimize = "fit"')
                continue
            try:
                recipe = parse_recipe(element.text, self.registry.passes)
            except ValueError as error:
                self.mistakes.add(element.place, str(error))
                continue
            if recipe in recipes:
                self.mistakes.add(element.place, f'"{recipe}" is listed twice')
            recipes[recipe] = element
            self._applies(recipe, element, source)
        return tuple(recipes)

    def _applies(self, recipe: Recipe, node: Node, source: Source | None) -> None:
        """
        Whether the source can have the steps, in that order.

        Keras models become what the device runs first; a function's is not known yet.
        """
        steps = [(step, self.registry.passes[step.name]) for step in recipe.steps]
        said, hint = wrong_order(steps)
        if said:
            self.mistakes.add(node.place, said, hint)
        if not isinstance(source, Path):
            return
        trains = next((step for step, chosen in steps if chosen.trains and not chosen.tunes), None)
        if trains and source.suffix.lower() in EXPORTED:
            self.mistakes.add(node.place, untrainable(trains), SOURCES)
            return
        kind = source.suffix.lower().removeprefix(".")
        kind = kind if kind in ("tflite", "onnx") else self.formats[0]
        for step in recipe.steps:
            if kind not in self.registry.passes[step.name].formats:
                self.mistakes.add(node.place, f'"{step.name}" does not work on .{kind} models')

    def _needs_data(
        self, node: Node, limits: tuple[Limit, ...], optimize: tuple[Recipe, ...]
    ) -> None:
        hint = 'such as: data = "data.npz"'
        for limit in limits:
            metric = self.registry.metrics.get(limit.metric)
            if metric is None or metric.needs is Predictions:
                self.mistakes.add(limit.place, f"{limit.metric} needs data with x_test", hint)
        for recipe in optimize:
            steps = [s.name for s in recipe.steps if self.registry.passes[s.name].calibrated]
            if steps:
                self.mistakes.add(
                    node.table["optimize"].place,
                    f'"{steps[0]}" needs data with x_calibration',
                    hint,
                )


def _part(node: Node, key: str) -> Node:
    """A table of *node*; an empty one when it is not there."""
    return node.table.get(key, Node({}, node.place))
