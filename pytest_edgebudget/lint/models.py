"""One model, looked at by all rules that were asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.graph import read
from pytest_edgebudget.lint.apply import apply, crash
from pytest_edgebudget.lint.base import ModelFile, OnDevice, Rule, Severity
from pytest_edgebudget.lint.families import model_rules
from pytest_edgebudget.lint.files import shown
from pytest_edgebudget.lint.result import FileResult, Reported, merged
from pytest_edgebudget.lint.select import Selection
from pytest_edgebudget.types import Profile


@dataclass(frozen=True, slots=True)
class ModelJob:
    """
    A model to look at, on the devices that are to run it.

    *extra*: rules of extensions (`families.rules_of`); None for those of entry points.
    *sources*: devices for which budgets optimize this model before it ships: what
    is wrong with it there is a note, since the gate looks at what becomes of it.
    """

    path: Path
    profiles: tuple[Profile, ...]
    selection: Selection
    extra: tuple[Rule, ...] | None = None
    sources: frozenset[Profile] = frozenset()


def lint_model(job: ModelJob) -> FileResult:
    """What is wrong with the model, by itself and on each of its devices."""
    path = shown(job.path)
    try:
        graph = read(job.path)
    except EdgeBudgetError as error:
        return unreadable(job.path, error)
    except Exception as error:  # noqa: BLE001, RUF100 - the other files are to be looked at
        return FileResult(path=path, crashes=(crash("reading it", path, error),))
    return _checked(path, ModelFile(job.path, graph), job)


def unreadable(path: Path, error: EdgeBudgetError) -> FileResult:
    """The result for a file that cannot be used; formats say its path in their own way."""
    from pytest_edgebudget.lint.budgets.unreadable_file import RULE

    bare = EdgeBudgetError(error.message.removeprefix(f"{path}: "), error.hint)
    found, crashes = apply([RULE], bare, shown(path))
    return FileResult(path=shown(path), found=tuple(found), unreadable=True, crashes=tuple(crashes))


def _of_a_source(found: Reported) -> Reported:
    message = f"{found.message}; this is the source model, the gate looks at what optimize makes"
    return replace(found, severity=Severity.NOTE, message=message)


def _checked(path: Path, model: ModelFile, job: ModelJob) -> FileResult:
    rules = [
        rule
        for rule in model_rules(on_device=bool(job.profiles), extra=job.extra)
        if model.graph.format in rule.formats and job.selection.wants(rule.code)
    ]
    found, crashes = apply([rule for rule in rules if rule.needs is ModelFile], model, path)
    on_device = [rule for rule in rules if rule.needs is OnDevice]
    for profile in job.profiles:
        more, failed = apply(on_device, OnDevice(model, profile), path, profile.name)
        found += map(_of_a_source, more) if profile in job.sources else more
        crashes += failed
    found.sort(key=lambda each: each.code)
    return FileResult(path=path, found=merged(found), crashes=tuple(dict.fromkeys(crashes)))
