"""Rules over what a device supports, EB4xx. One rule a file; this table names them all."""

from pytest_edgebudget.lint.base import Rule
from pytest_edgebudget.lint.devices import (
    accelerator_cache,
    accelerator_condition,
    accelerator_fallback,
    accelerator_operator,
    accelerator_pieces,
    accelerator_unused,
    flash_exceeded,
    memory_exceeded,
    slow_kernel,
    unknown_operator,
    unusable_format,
)

RULES: tuple[Rule, ...] = (
    accelerator_unused.RULE,
    accelerator_fallback.RULE,
    accelerator_pieces.RULE,
    accelerator_condition.RULE,
    accelerator_operator.RULE,
    memory_exceeded.RULE,
    flash_exceeded.RULE,
    unknown_operator.RULE,
    slow_kernel.RULE,
    accelerator_cache.RULE,
    unusable_format.RULE,
)
