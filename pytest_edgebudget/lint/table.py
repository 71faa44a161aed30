"""All rules, in code order: the families' tables joined."""

from collections.abc import Mapping

from pytest_edgebudget.lint import budgets, devices, quantization, runtimes, structure
from pytest_edgebudget.lint.base import Rule

RULES: tuple[Rule, ...] = (
    *budgets.RULES,
    *structure.RULES,
    *quantization.RULES,
    *devices.RULES,
    *runtimes.RULES,
)

RULES_BY_CODE: Mapping[str, Rule] = {rule.code: rule for rule in RULES}
"""The built-in rules by their code."""
