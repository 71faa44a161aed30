"""Rules over budget files, EB1xx. One rule a file; this table names them all."""

from pytest_edgebudget.lint.base import Rule
from pytest_edgebudget.lint.budgets import (
    ignore_without_reason,
    unreadable_file,
    unused_ignore,
)

RULES: tuple[Rule, ...] = (
    unreadable_file.RULE,
    ignore_without_reason.RULE,
    unused_ignore.RULE,
)
