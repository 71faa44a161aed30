"""Which rules look at what: only the families that can find something are imported."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pytest_edgebudget import extensions
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.lint.base import ModelFile, OnDevice, Rule

if TYPE_CHECKING:
    import pluggy


def model_rules(*, on_device: bool, extra: tuple[Rule, ...] | None = None) -> tuple[Rule, ...]:
    """
    The rules for a model; with *on_device*, also those that need a device.

    *extra*: the rules of extensions; None for those of entry points.
    """
    from pytest_edgebudget.lint import quantization, runtimes, structure

    rules = [*structure.RULES, *quantization.RULES, *runtimes.RULES]
    if on_device:
        from pytest_edgebudget.lint import devices

        rules += devices.RULES
    needed = (ModelFile, OnDevice) if on_device else (ModelFile,)
    rules += added() if extra is None else extra
    found = (rule for rule in rules if rule.needs in needed)
    return tuple(sorted(found, key=lambda rule: rule.code))


def budget_rules() -> tuple[Rule, ...]:
    """The rules for a budget file."""
    from pytest_edgebudget.lint import budgets
    from pytest_edgebudget.lint.base import BudgetFile

    return tuple(rule for rule in (*budgets.RULES, *added()) if rule.needs is BudgetFile)


def all_rules() -> tuple[Rule, ...]:
    """Every rule, built-in or added. Raises `EdgeBudgetError` when two have one code."""
    from pytest_edgebudget.lint.table import RULES

    return tuple(extensions.by_name(RULES, [added()], "rule", "code").values())


@functools.cache
def added() -> tuple[Rule, ...]:
    """The rules of entry points; where there is no extension, nothing is loaded to find out."""
    return rules_of(extensions.command_line_manager()) if extensions.declared() else ()


def rules_of(manager: pluggy.PluginManager) -> tuple[Rule, ...]:
    """
    The rules that the plugins of *manager* add.

    Raises `EdgeBudgetError` when two have one code, when one has a code of
    ours, and for a misspelt hook.
    """
    extensions.check_names(manager)
    found = manager.hook.pytest_edgebudget_rules()
    rules: dict[str, Rule] = extensions.by_name((), found, "rule", "code")
    for code in rules:
        if code.startswith("EB"):
            raise EdgeBudgetError(
                f"{code}: an extension's rule has a code of ours",
                "its code begins with two to ten other letters, such as ACME001",
            )
    return tuple(rules.values())
