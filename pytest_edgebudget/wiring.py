"""Built-in and added metrics, passes and profiles, through the same hooks."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, TypeVar

import pluggy

from pytest_edgebudget import devices, hookspec, metrics, passes, report
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.report.base import Report

PREFIX = "pytest_edgebudget_"
T = TypeVar("T")


def registry_of(manager: pluggy.PluginManager) -> Registry:
    """
    Everything that a budget file may name.

    Raises `EdgeBudgetError` when two things have one name, and when a hook
    with our prefix is not one of ours: pluggy would ignore it without a word.
    """
    _check_names(manager)
    hook = manager.hook
    return Registry(
        metrics=_by_name(metrics.BUILT_IN, hook.pytest_edgebudget_metrics(), "metric"),
        passes=_by_name(passes.BUILT_IN, hook.pytest_edgebudget_passes(), "pass"),
        profiles=devices.profiles(),
    )


def reports_of(manager: pluggy.PluginManager) -> dict[str, Report]:
    """Report formats by name."""
    return _by_name(report.BUILT_IN, manager.hook.pytest_edgebudget_reports(), "report")


def command_line_manager() -> pluggy.PluginManager:
    """A plugin manager outside pytest: extensions come from entry points."""
    manager = pluggy.PluginManager("pytest")
    manager.add_hookspecs(hookspec)
    manager.load_setuptools_entrypoints("pytest_edgebudget")
    return manager


def _by_name(built_in: Iterable[T], added: Iterable[Iterable[T]], kind: str) -> dict[str, T]:
    found: dict[str, T] = {}
    for thing in (*built_in, *(thing for things in added for thing in things)):
        name: str = thing.name  # type: ignore[attr-defined]
        if name in found:
            raise EdgeBudgetError(
                f"there are two of the {kind} {name}", "an extension must choose another name"
            )
        found[name] = thing
    return found


def _check_names(manager: pluggy.PluginManager) -> None:
    known = [name for name in vars(hookspec) if name.startswith(PREFIX)]
    for plugin in manager.get_plugins():
        for name in _ours(plugin):
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                raise EdgeBudgetError(
                    f"{getattr(plugin, '__file__', plugin)}: there is no hook {name}",
                    f"did you mean {near[0]}?" if near else f"hooks: {', '.join(known)}",
                )


def _ours(plugin: Any) -> Iterable[str]:
    names = getattr(plugin, "__dict__", {})
    return [name for name in names if name.startswith(PREFIX) and callable(names[name])]
