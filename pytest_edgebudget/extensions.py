"""
Extensions, and what they add to what is built in.

In a run of pytest they are pytest's plugins; on the command line they come
from the entry-point group ``pytest_edgebudget``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.types import LINT

if TYPE_CHECKING:
    import pluggy

    from pytest_edgebudget.devices.base import Way
    from pytest_edgebudget.registry import Registry

GROUP = "pytest_edgebudget"
PREFIX = "pytest_edgebudget_"
T = TypeVar("T")


def declared() -> bool:
    """
    Whether an installed distribution has entry points for us.

    Reads the files that `importlib.metadata` reads, and not the rest of each
    distribution: that takes a tenth of its time, at every start of the command
    line. Of a zip archive on the path the answer is yes, for it is not opened.
    """
    section = f"[{GROUP}]".encode()
    return any(content is None or section in content for content in _entry_points())


def command_line_manager() -> pluggy.PluginManager:
    """
    A plugin manager outside pytest: extensions come from entry points.

    As in a conftest.py, a function is a hook by its name, marked or not.
    """
    from pytest_edgebudget import hookspec

    manager = _manager()
    manager.add_hookspecs(hookspec)
    if declared():
        manager.load_setuptools_entrypoints(GROUP)
    return manager


def registry_of(manager: pluggy.PluginManager) -> Registry:
    """
    Everything that a budget file may name.

    Raises `EdgeBudgetError` when two things have one name, and when a hook
    with our prefix is not one of ours: pluggy would ignore it without a word.
    """
    from pytest_edgebudget import devices, metrics, passes
    from pytest_edgebudget.registry import Registry

    check_names(manager)
    hook = manager.hook
    known = by_name(metrics.BUILT_IN, hook.pytest_edgebudget_metrics(), "metric")
    if LINT in known:
        raise EdgeBudgetError(
            f"the metric {LINT} has the name of the linter's item", "choose another name"
        )
    return Registry(
        metrics=known,
        passes=by_name(passes.BUILT_IN, hook.pytest_edgebudget_passes(), "pass"),
        profiles=devices.profiles(),
        ways=_ways(hook.pytest_edgebudget_devices()),
    )


def _ways(added: Iterable[Iterable[Way]]) -> dict[str, Way]:
    """Ways to run by name. Raises `EdgeBudgetError` for a name that is taken."""
    from pytest_edgebudget.devices.ways import WAYS

    found = by_name((), added, "way to run")
    for name in found:
        if name in WAYS:
            raise EdgeBudgetError(
                f"there are two of the way to run {name}", "an extension must choose another name"
            )
    return found


def by_name(
    built_in: Iterable[T], added: Iterable[Iterable[T]], kind: str, key: str = "name"
) -> dict[str, T]:
    """All of them by their *key*. Raises `EdgeBudgetError` when two have the same."""
    found: dict[str, T] = {}
    for thing in (*built_in, *(thing for things in added for thing in things)):
        name: str = getattr(thing, key)
        if name in found:
            raise EdgeBudgetError(
                f"there are two of the {kind} {name}", f"an extension must choose another {key}"
            )
        found[name] = thing
    return found


def check_names(manager: pluggy.PluginManager) -> None:
    """Raise `EdgeBudgetError` for a hook with our prefix that is not one of ours."""
    from pytest_edgebudget import hookspec

    known = [name for name in vars(hookspec) if name.startswith(PREFIX)]
    for plugin in manager.get_plugins():
        for name in _ours(plugin):
            if name not in known:
                from difflib import get_close_matches

                near = get_close_matches(name, known, 1)
                raise EdgeBudgetError(
                    f"{getattr(plugin, '__file__', plugin)}: there is no hook {name}",
                    f"did you mean {near[0]}?" if near else f"hooks: {', '.join(known)}",
                )


def _manager() -> pluggy.PluginManager:
    import pluggy

    class Manager(pluggy.PluginManager):
        """pluggy takes marked functions only; pytest's manager, like this one, all by name."""

        def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
            marked = super().parse_hookimpl_opts(plugin, name)
            return plain if marked is None and name in _ours(plugin) else marked

    plain: pluggy.HookimplOpts = {
        "wrapper": False,
        "hookwrapper": False,
        "optionalhook": False,
        "tryfirst": False,
        "trylast": False,
        "specname": None,
    }
    return Manager("pytest")


def _ours(plugin: Any) -> Iterable[str]:
    names = getattr(plugin, "__dict__", {})
    return [name for name in names if name.startswith(PREFIX) and callable(names[name])]


def _entry_points() -> Iterator[bytes | None]:
    """The entry points of each distribution as bytes; None for what is not a folder."""
    for place in dict.fromkeys(Path(entry or ".") for entry in sys.path):
        if place.is_file():
            yield None
            continue
        try:
            names = [path for path in place.iterdir() if path.suffix in (".dist-info", ".egg-info")]
        except OSError:
            continue
        for path in names:
            try:
                yield (path / "entry_points.txt").read_bytes()
            except OSError:
                continue
