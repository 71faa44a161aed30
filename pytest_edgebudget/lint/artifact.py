"""The linter in the gate: the artifact of one model, on the budget's device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pytest_edgebudget.budget.load import Loader
from pytest_edgebudget.budget.mistakes import Mistakes
from pytest_edgebudget.lint.base import Rule
from pytest_edgebudget.lint.chosen import chosen
from pytest_edgebudget.lint.comments import read_ignores
from pytest_edgebudget.lint.files import shown
from pytest_edgebudget.lint.ignores import Ignore
from pytest_edgebudget.lint.models import ModelJob, lint_model
from pytest_edgebudget.lint.result import FileResult, Reported
from pytest_edgebudget.types import Budget, ModelBudget


def lint_artifact(
    path: Path,
    budget: Budget,
    model: ModelBudget,
    *,
    root: Path,
    extra: tuple[Rule, ...] | None = None,
) -> FileResult:
    """
    What is wrong with the artifact at *path* of *model*, on the device of *budget*.

    Rules are those that the budget's ``[lint]`` table chooses; what comments in
    the budget file (or one that it extends) ignore for this model is left out.
    Nothing is said of a `.keras` file: no rule reads one.
    *extra*: rules of extensions; None for those of entry points.
    """
    if path.suffix == ".keras":
        return FileResult(path=shown(path))
    job = ModelJob(path, (budget.device.narrowed,), chosen(budget), extra)
    result = lint_model(job)
    return replace(result, found=_left(result.found, budget.path, model.name, root))


def _left(found: Iterable[Reported], path: Path, name: str, root: Path) -> tuple[Reported, ...]:
    findings = tuple(found)
    if not findings:
        return ()  # comments are read only where there is something to ignore
    ignores = [each for each in _ignores(path, root) if each.model(name)]
    return tuple(each for each in findings if not any(i.names(each.code) for i in ignores))


def _ignores(path: Path, root: Path) -> Iterator[Ignore]:
    """Comments of the budget file, and of those that it extends."""
    mistakes = Mistakes()
    Loader(root, mistakes).load(path)
    for file in mistakes.files:
        yield from read_ignores((root / file).read_bytes(), file).ignores
