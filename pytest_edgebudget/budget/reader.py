"""From a budget file to a `Budget`, or to all of its mistakes at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_edgebudget.budget.device import DeviceReader
from pytest_edgebudget.budget.groups import GroupReader
from pytest_edgebudget.budget.limits import LimitReader, Settings
from pytest_edgebudget.budget.load import Loader, normal
from pytest_edgebudget.budget.mistakes import Mistakes
from pytest_edgebudget.budget.models import ModelReader
from pytest_edgebudget.budget.structure import checked_table
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.budget.values import Values
from pytest_edgebudget.devices.runtimes import RUNTIMES, formats_of
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.types import Budget, LintChoice

_CODE = re.compile(r"[A-Z]{2,10}\d{0,3}")
_EMPTY = "[models.NAME.budget] holds the limits of a model"


def read_budget(path: Path, registry: Registry, *, root: Path) -> Budget:
    """
    Read the budget file at *path* and everything that it names.

    *registry* holds the metrics, passes and profiles that it may name. Places
    in the result and in mistakes are relative to *root* where they can be.

    Raises:
        BudgetError: with all mistakes of the file and of those it extends.
    """
    mistakes = Mistakes()
    loader = Loader(normal(root.absolute()), mistakes)
    tree = loader.load(normal(path.absolute()))
    if mistakes.found:  # a file is no TOML: what it lacks would only confuse
        raise mistakes.error()
    budget = _read(checked_table(tree, "", mistakes), path, registry, loader)
    if budget is None or mistakes.found:
        raise mistakes.error()
    return budget


def _read(tree: Node, path: Path, registry: Registry, loader: Loader) -> Budget | None:
    mistakes = loader.mistakes
    device = DeviceReader(registry, loader, mistakes).read(_table(tree, "device"))
    defaults = Settings().over(Values(_table(tree, "defaults"), mistakes), None)
    known = [name for name in device.runtimes if name in RUNTIMES] if device else []
    models = ModelReader(
        registry,
        loader,
        LimitReader(defaults, mistakes),
        mistakes,
        formats_of(known) or ("tflite",),
    )
    groups = GroupReader(models, _table(tree, "models").table, mistakes)
    found = [models.read(name, node) for name, node in _gated(tree, mistakes)]
    joint = tuple(groups.read(name, node) for name, node in _table(tree, "groups").table.items())
    if not found and not joint and not mistakes.found:
        mistakes.add(tree.place, "there is no limit in this file", _EMPTY)
    if device is None:
        return None
    return Budget(
        path=path,
        device=device,
        models=tuple(model for model in found if model),
        groups=joint,
        lint=_lint(_table(tree, "lint"), mistakes),
    )


def _lint(node: Node, mistakes: Mistakes) -> LintChoice:
    """Which codes there are is known to the linter only: here they must look like codes."""
    found, places = {}, []
    for key in ("select", "ignore"):
        elements = node.table[key].elements if key in node.table else ()
        for element in elements:
            if not _CODE.fullmatch(element.text):
                hint = "such as EB203, or EB2 for a family"
                mistakes.add(element.place, f'"{element.text}" is not a code', hint)
        found[key] = tuple(element.text for element in elements)
        places += [(element.text, element.place) for element in elements]
    level = Values(node, mistakes).text("level", "error")
    return LintChoice(
        level=level, select=found["select"], ignore=found["ignore"], places=tuple(places)
    )


def _gated(tree: Node, mistakes: Mistakes) -> Iterator[tuple[str, Node]]:
    """
    The models of this budget: those with limits, and those in a group.

    A model of an extended file that has none is for other devices; in this
    file it is a mistake.
    """
    groups = _table(tree, "groups").table.values()
    grouped = {element.text for group in groups for element in _table(group, "models").elements}
    for name, node in _table(tree, "models").table.items():
        if _table(node, "budget").table or name in grouped:
            yield name, node
        elif node.place.file == tree.place.file and not mistakes.about(node.place):
            mistakes.add(node.place, "the model has no limits", f"write [{node.place.key}.budget]")


def _table(node: Node, key: str) -> Node:
    """The table at *key*; an empty one in *node*'s place when it is not there."""
    return node.table.get(key, Node({}, node.place))
