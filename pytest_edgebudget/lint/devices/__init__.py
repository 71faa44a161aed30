"""Rules over what a device supports, EB4xx. One rule a file; this table names them all."""

from pytest_edgebudget.lint.base import Rule

RULES: tuple[Rule, ...] = ()
