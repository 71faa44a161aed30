"""A budget file, its own rules, its comments, and the models that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pytest_edgebudget.budget import read_budget
from pytest_edgebudget.budget.load import Loader
from pytest_edgebudget.budget.mistakes import Mistakes
from pytest_edgebudget.errors import BudgetError
from pytest_edgebudget.lint.apply import apply, crash
from pytest_edgebudget.lint.base import BudgetFile
from pytest_edgebudget.lint.budgets import unreadable_file
from pytest_edgebudget.lint.chosen import chosen
from pytest_edgebudget.lint.comments import read_ignores
from pytest_edgebudget.lint.families import budget_rules
from pytest_edgebudget.lint.files import MODELS, shown
from pytest_edgebudget.lint.ignores import IgnoreFile
from pytest_edgebudget.lint.result import FileResult, Named, Reported
from pytest_edgebudget.lint.select import Selection
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.types import AS_IT_IS, Budget, Profile


@dataclass(frozen=True, slots=True)
class NamedModel:
    """
    A model file that *budget* names: its absolute *path*, *name*, device and place.

    *wanted*: the rules of the budget's ``[lint]`` table. *optimized*: the gate
    looks at another file, which recipes make of this one.
    """

    path: Path
    name: str
    profile: Profile
    place: Named
    budget: Path
    wanted: Selection
    optimized: bool


@dataclass(frozen=True, slots=True)
class BudgetResult:
    """
    What is said about a budget file and those that it extends, before ignoring.

    *models*: those to look at next. *skipped*: sources that are no .tflite and
    no .onnx. *comments*: of the file, first, and of those that it extends.
    """

    path: Path
    found: tuple[Reported, ...] = ()
    crashes: tuple[str, ...] = ()
    unreadable: bool = False
    models: tuple[NamedModel, ...] = ()
    skipped: tuple[FileResult, ...] = ()
    comments: tuple[IgnoreFile, ...] = ()


def lint_budget(path: Path, registry: Registry, selection: Selection, today: date) -> BudgetResult:
    """Read the budget file at *path* (absolute) and put the rules EB1xx to it."""
    try:
        return _checked(read_budget(path, registry, root=Path.cwd()), selection, today)
    except BudgetError as error:
        found, crashes = apply([unreadable_file.RULE], error, shown(path))
        return BudgetResult(path, tuple(found), tuple(crashes), unreadable=True)
    except Exception as error:  # noqa: BLE001, RUF100 - the other files are to be looked at
        return BudgetResult(path, crashes=(crash("reading it", shown(path), error),))


def _checked(budget: Budget, selection: Selection, today: date) -> BudgetResult:
    own = chosen(budget)
    rules = [each for each in budget_rules() if selection.wants(each.code) and own.wants(each.code)]
    found, crashes = apply(rules, BudgetFile(budget.path, budget, today), shown(budget.path))
    return BudgetResult(
        budget.path,
        tuple(found),
        tuple(crashes),
        models=tuple(_models(budget)),
        skipped=tuple(_skipped(budget)),
        comments=tuple(_comments(budget.path)),
    )


def _models(budget: Budget) -> Iterator[NamedModel]:
    for model in budget.models:
        if isinstance(model.source, Path) and model.source.suffix.lower() in MODELS:
            place = Named(model.place.file, model.place.line)
            yield NamedModel(
                path=model.source,
                name=model.name,
                profile=budget.device.narrowed,
                place=place,
                budget=shown(budget.path),
                wanted=chosen(budget),
                optimized=model.fit is not None
                or any(recipe != AS_IT_IS for recipe in model.optimize),
            )


def _skipped(budget: Budget) -> Iterator[FileResult]:
    why = "not looked at: only .tflite and .onnx files are; `edgebudget check --artifacts DIR`"
    for model in budget.models:
        source = model.source
        if not isinstance(source, Path):
            yield FileResult(path=Path(str(source)), skipped=f"{why} writes what it becomes")
        elif source.suffix.lower() not in MODELS:
            yield FileResult(path=shown(source), skipped=f"{why} writes what it becomes")


def _comments(path: Path) -> Iterator[IgnoreFile]:
    """The comments of the file and of all that it extends, as places name these files."""
    mistakes = Mistakes()
    root = Path.cwd()
    Loader(root, mistakes).load(path)
    for file in mistakes.files:
        yield read_ignores((root / file).read_bytes(), file)
