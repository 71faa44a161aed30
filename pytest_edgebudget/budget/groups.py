"""Joint limits: the sum of a metric over several models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pytest_edgebudget.budget.limits import LimitReader
from pytest_edgebudget.budget.mistakes import Mistakes, suggest
from pytest_edgebudget.budget.models import ModelReader
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.types import GroupBudget, Limit

_NOT_JOINT = ("min", "max_drop", "max_regression", "min_change", "anchor", "ratchet", "slices")


@dataclass(frozen=True, slots=True)
class GroupReader:
    """Reads groups of *known* models; what is wrong with them goes to *mistakes*."""

    models: ModelReader
    known: Mapping[str, Node]
    mistakes: Mistakes

    def read(self, name: str, node: Node) -> GroupBudget:
        """The joint limits at *node*."""
        if name in self.known:
            self.mistakes.add(node.place, f'a model has the name "{name}" too', "rename the group")
        return GroupBudget(
            name=name,
            models=self._members(node.table.get("models")),
            limits=self._limits(node.table.get("budget")),
            place=node.place,
        )

    def _members(self, node: Node | None) -> tuple[str, ...]:
        if node is None:  # noted before: it is missing, or no list of strings
            return ()
        names: list[str] = []
        for element in node.elements:
            if element.text not in self.known:
                message = f'there is no model "{element.text}"'
                self.mistakes.add(element.place, message, suggest(element.text, self.known))
            if element.text in names:
                self.mistakes.add(element.place, f'"{element.text}" is listed twice')
            names.append(element.text)
        if not names:
            self.mistakes.add(node.place, "the group has no models")
        return tuple(names)

    def _limits(self, node: Node | None) -> tuple[Limit, ...]:
        if node is None:
            return ()
        if not node.table and not self.mistakes.about(node.place):
            self.mistakes.add(node.place, "the group has no limits")
        found = (self._limit(metric, limit) for metric, limit in node.table.items())
        return tuple(limit for limits in found for limit in limits)

    def _limit(self, name: str, node: Node) -> tuple[Limit, ...]:
        metric = self.models.metric(name, node, {})
        if metric is None:
            return ()
        if not metric.additive:
            self.mistakes.add(node.place, f"{name} cannot be summed over models", self._additive())
            return ()
        for key in _NOT_JOINT:
            if key in node.table:
                self.mistakes.add(node.table[key].place, "a group is limited by max only")
        return self._reader().read(_joint(node), metric)

    def _additive(self) -> str:
        metrics: Mapping[str, Metric] = self.models.registry.metrics
        return f"can be: {', '.join(sorted(n for n, m in metrics.items() if m.additive))}"

    def _reader(self) -> LimitReader:
        """Regressions are judged model by model: the file's default is for those."""
        reader = self.models.limits
        defaults = replace(reader.defaults, max_regression=None, min_change=None, ratchet=False)
        return replace(reader, defaults=defaults)


def _joint(node: Node) -> Node:
    """*node* without the keys that were refused."""
    if not isinstance(node.value, dict):
        return node
    kept = {key: child for key, child in node.table.items() if key not in _NOT_JOINT}
    return Node(kept, node.place)
