"""
pytest's tree of a budget file: file, models and groups, one item a metric, one for the linter.

A model is a collector whose `setup` fits and measures; an item only judges.
What raises in `setup` is an ERROR of each of the model's items, a limit that
does not hold is a FAILURE.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

import pytest

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.recorder import Found
from pytest_edgebudget.report.base import ErrorRow
from pytest_edgebudget.report.message import broken_text, lint_text, one_line
from pytest_edgebudget.types import LINT, Budget, GroupBudget, Limit, ModelBudget

if TYPE_CHECKING:
    from pytest_edgebudget.session import GateSession


class BrokenBudget(Exception):
    """A limit does not hold; carries the text that the user reads."""


class BudgetFile(pytest.File):
    """A budget file of the run."""

    gate: GateSession

    @classmethod
    def of(cls, parent: pytest.Collector, path: Any, gate: GateSession) -> BudgetFile:
        """The node of one file."""
        node = cls.from_parent(parent, path=path)
        node.gate = gate
        return node

    def collect(self) -> Iterator[pytest.Collector]:
        """A node for each model and each group."""
        budget = self.gate.budgets[self.path.resolve()]
        for part in budget.parts:
            if part.limits or _linted(budget, part):
                yield PartNode.of(self, budget, part)


class PartNode(pytest.Collector):
    """A model, or a group of models, with its limits as items."""

    budget: Budget
    part: ModelBudget | GroupBudget
    gate: GateSession
    why: str = ""
    told: str = ""

    @classmethod
    def of(cls, parent: BudgetFile, budget: Budget, part: ModelBudget | GroupBudget) -> PartNode:
        """The node of one model or group."""
        node = cls.from_parent(parent, name=part.name)
        node.budget, node.part, node.gate = budget, part, parent.gate
        return node

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each limit, and the linter's."""
        for limit in self.part.limits:
            yield LimitItem.of(self, limit)
        if _linted(self.budget, self.part):
            yield LintItem.of(self)

    def setup(self) -> None:
        """Fit and measure, once a session however often pytest asks."""
        self.why = self._failure()

    def tell(self, item: str) -> str:
        """Why nothing was fitted: whole for the first *item* that asks, a line for others."""
        first, *more = self.why.splitlines() or [""]
        self.told = self.told or item
        if not more or self.told == item:
            return self.why
        return f"{first}\n  {self.told}, above, says the rest"

    def _failure(self) -> str:
        """Fit all models of this part; what went wrong, or an empty string."""
        try:
            for model in self._models():
                self.gate.fit(self.budget, model)
        except EdgeBudgetError as error:
            return str(error)
        finally:
            self.gate.say("")
        return ""

    def _models(self) -> Iterator[ModelBudget]:
        for model in self.budget.models:
            if model is self.part or model.name in getattr(self.part, "models", ()):
                yield model


def _linted(budget: Budget, part: ModelBudget | GroupBudget) -> bool:
    return isinstance(part, ModelBudget) and budget.lint.level != "off"


class JudgedItem(pytest.Item):
    """A test of one model's artifact."""

    part: PartNode
    found: Found | None = None

    @classmethod
    def named(cls, parent: PartNode, name: str) -> Self:
        """An item without a timeout: the fit is shared and has limits of its own."""
        item = cls.from_parent(parent, name=name)
        item.part = parent
        if item.config.pluginmanager.hasplugin("timeout"):
            item.add_marker(pytest.mark.timeout(0))
        return item

    def setup(self) -> None:
        """An error where the model was not fitted."""
        if why := self.part.tell(self.name):
            pytest.fail(why, pytrace=False)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A broken limit is explained; anything else is a traceback."""
        if isinstance(excinfo.value, BrokenBudget | EdgeBudgetError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def outcome(self, report: pytest.TestReport) -> dict[str, Any] | None:
        """What rides on the report of one phase, in plain types."""
        if report.when == "call" and self.found:
            return self.found.to_plain()
        if report.failed:
            return Found(error=self._error(report)).to_plain()
        return None

    def _error(self, report: pytest.TestReport) -> ErrorRow:
        file, model, name = self.part.gate.name(self.part.budget.path), self.part.name, self.name
        said = self.part.why or report.longreprtext
        return ErrorRow(id=f"{file}::{model}::{name}", file=file, model=model, message=said)


class LintItem(JudgedItem):
    """What the linter says of the artifact, on the budget's profile."""

    @classmethod
    def of(cls, parent: PartNode) -> Self:
        """The item of one model."""
        return cls.named(parent, LINT)

    def runtest(self) -> None:
        """Lint."""
        gate, budget, part = self.part.gate, self.part.budget, self.part.part
        assert isinstance(part, ModelBudget)
        self.found = gate.lint(budget, part)
        row = self.found.lint
        assert row is not None
        self.user_properties += [("verdict", row.status), ("findings", len(row.findings))]
        if row.fails:
            raise BrokenBudget(lint_text(row))

    def reportinfo(self) -> tuple[Any, int, str]:
        """Where the model was written."""
        place = self.part.part.place
        return place.file, place.line - 1, f"{self.part.name}: {self.name}"


class LimitItem(JudgedItem):
    """One limit: the test."""

    limit: Limit

    @classmethod
    def of(cls, parent: PartNode, limit: Limit) -> Self:
        """The item of one limit."""
        item = cls.named(parent, limit.name)
        item.limit = limit
        return item

    def runtest(self) -> None:
        """Judge."""
        gate, budget, part = self.part.gate, self.part.budget, self.part.part
        if isinstance(part, ModelBudget):
            self.found = gate.judge(budget, part, self.limit)
        else:
            self.found = gate.judge_group(budget, part, self.limit)
        self._tell_junit()
        row = self.found.limit
        assert row is not None
        if row.status == "skipped":
            pytest.skip(row.reason)
        if row.fails:
            raise BrokenBudget(broken_text(row, self.found.model))

    def _tell_junit(self) -> None:
        """Properties of the JUnit report: plain types, which xdist can send."""
        assert self.found is not None
        row = self.found.limit
        assert row is not None
        self.user_properties += [("verdict", row.status), ("summary", one_line(row))]
        if row.after:
            self.user_properties += [
                ("value", row.after.value),
                ("unit", row.unit),
                ("evidence", row.after.evidence),
            ]
        if self.found.model:
            self.user_properties.append(("recipe", self.found.model.recipe))

    def reportinfo(self) -> tuple[Any, int, str]:
        """Where the limit was written."""
        place = self.limit.place
        return place.file, place.line - 1, f"{self.part.name}: {self.limit.name}"
