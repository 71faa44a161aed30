"""A run of the linter: files in, results out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.lint.files import Input, shown
from pytest_edgebudget.lint.models import ModelJob, unreadable
from pytest_edgebudget.lint.parallel import lint_models
from pytest_edgebudget.lint.result import FileResult, LintRun, Reported, merged
from pytest_edgebudget.lint.select import Selection
from pytest_edgebudget.paths import is_folder
from pytest_edgebudget.types import Profile

if TYPE_CHECKING:
    from pytest_edgebudget.lint.budget_files import BudgetResult, NamedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    What to look at: *inputs*, bare models on *profile*, the rules of *selection*.

    *codes*: all codes that exist; asked for only where somebody wrote some.
    """

    inputs: Sequence[Input]
    profile: Profile | None
    selection: Selection
    today: date
    codes: Callable[[], tuple[str, ...]]


def run(request: Request) -> LintRun:
    """Look at everything; the results are in the order of the inputs."""
    budgets = _budgets(request)
    jobs, named = _jobs(request, budgets)
    done = dict(zip(jobs, lint_models(list(jobs.values())), strict=True))
    files = [file for each in request.inputs for file in _plain(each)]
    if budgets:
        files += _of_budgets(request, budgets, done, named)
    files += [done[path] for path in done if path not in named]
    return LintRun(tuple(_in_order(request, budgets, files)))


def _plain(each: Input) -> list[FileResult]:
    """What needs no look: a folder that is still an input has nothing in it."""
    if each.skipped:
        return [FileResult(path=shown(each.path), skipped=each.skipped)]
    if each.closed:
        error = EdgeBudgetError(f"the folder cannot be read ({each.closed})", "see who may open it")
        return [unreadable(each.path, error)]
    if not is_folder(each.path):
        return []
    why = "there is no model and no budget file in this folder"
    hint = "name a folder with .tflite, .onnx or budget files"
    return [unreadable(each.path, EdgeBudgetError(why, hint))]


def _budgets(request: Request) -> list[BudgetResult]:
    paths = [each.path for each in request.inputs if each.budget]
    if not paths:
        return []
    from pytest_edgebudget.extensions import command_line_manager, registry_of
    from pytest_edgebudget.lint.budget_files import lint_budget

    registry = registry_of(command_line_manager())
    return [lint_budget(path, registry, request.selection, request.today) for path in paths]


def _jobs(
    request: Request, budgets: Sequence[BudgetResult]
) -> tuple[dict[Path, ModelJob], dict[Path, list[NamedModel]]]:
    """Each model once, with all its devices; and which budgets name it."""
    bare = [
        each.path
        for each in request.inputs
        if not (each.budget or each.skipped or each.closed or is_folder(each.path))
    ]
    profiles: dict[Path, dict[Profile, None]] = {path: {} for path in bare}
    named: dict[Path, list[NamedModel]] = {}
    for path in bare if request.profile is not None else ():
        profiles[path][request.profile] = None  # type: ignore[index]
    for each in (model for budget in budgets for model in budget.models):
        named.setdefault(each.path, []).append(each)
        profiles.setdefault(each.path, {})[each.profile] = None
    jobs = {
        path: ModelJob(
            path,
            tuple(found),
            request.selection,
            sources=_sources(named.get(path, ()), request.profile),
        )
        for path, found in profiles.items()
    }
    return jobs, named


def _sources(models: Sequence[NamedModel], asked: Profile | None) -> frozenset[Profile]:
    """Devices for which every budget that names the model optimizes it, and nobody asked."""
    optimized = {model.profile for model in models if model.optimized}
    as_it_is = {model.profile for model in models if not model.optimized}
    return frozenset(optimized - as_it_is - {asked})


def _of_budgets(
    request: Request,
    budgets: Sequence[BudgetResult],
    done: Mapping[Path, FileResult],
    named: Mapping[Path, list[NamedModel]],
) -> list[FileResult]:
    """Budget files and their models, less what comments ignore."""
    from pytest_edgebudget.lint.ignoring import Ignoring, about_comments

    ignoring = Ignoring(budgets)
    models = [
        replace(
            done[path],
            found=ignoring.of_model(done[path].found, names),
            named=names[0].place,
        )
        for path, names in named.items()
    ]
    found = ignoring.of_budget(each for budget in budgets for each in budget.found)
    comments, failed = about_comments(ignoring, request.selection, request.codes)
    files = _budget_files(budgets, [*found, *comments])
    files[0] = replace(files[0], crashes=(*files[0].crashes, *failed))
    skipped = {file.path: file for budget in budgets for file in budget.skipped}
    return [*files, *models, *skipped.values()]


def _budget_files(budgets: Sequence[BudgetResult], found: Sequence[Reported]) -> list[FileResult]:
    """A result for each budget file, and for each file in which something else was found."""
    by_file: dict[Path, list[Reported]] = {shown(budget.path): [] for budget in budgets}
    for each in found:
        by_file.setdefault(each.path, []).append(each)
    read = {shown(budget.path): budget for budget in budgets}
    return [
        FileResult(
            path=path,
            found=merged(sorted(group, key=lambda each: (each.line, each.code))),
            unreadable=path in read and read[path].unreadable,
            crashes=read[path].crashes if path in read else (),
        )
        for path, group in by_file.items()
    ]


def _in_order(
    request: Request, budgets: Sequence[BudgetResult], files: Sequence[FileResult]
) -> list[FileResult]:
    """As they were asked for: a budget file, what it extends, its models; then the next."""
    order: dict[Path, int] = {}
    below = {shown(budget.path): budget for budget in budgets}
    for each in request.inputs:
        path = shown(each.path)
        order.setdefault(path, len(order))
        if path in below:
            result = below[path]
            others = [comments.file for comments in result.comments]
            models = [shown(model.path) for model in result.models]
            for other in (*others, *models, *(file.path for file in result.skipped)):
                order.setdefault(other, len(order))
    return sorted(files, key=lambda file: order.get(file.path, len(order)))
