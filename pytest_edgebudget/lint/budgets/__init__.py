"""Rules over budget files, EB1xx. One rule a file; this table names them all."""

from pytest_edgebudget.lint.base import Rule
from pytest_edgebudget.lint.budgets import (
    expiring_waiver,
    half_a_budget,
    ignore_without_reason,
    limit_above_the_device,
    limit_inside_the_band,
    lock_of_another_setup,
    loose_limit,
    never_failing_limit,
    optimized_without_quality,
    regression_without_lock,
    search_on_the_test_split,
    stale_lock,
    test_split_twice,
    time_of_any_machine,
    too_few_samples,
    unmeasurable_limit,
    unreadable_file,
    unused_ignore,
)

RULES: tuple[Rule, ...] = (
    unreadable_file.RULE,
    ignore_without_reason.RULE,
    unused_ignore.RULE,
    never_failing_limit.RULE,
    loose_limit.RULE,
    half_a_budget.RULE,
    optimized_without_quality.RULE,
    lock_of_another_setup.RULE,
    regression_without_lock.RULE,
    stale_lock.RULE,
    too_few_samples.RULE,
    expiring_waiver.RULE,
    limit_above_the_device.RULE,
    unmeasurable_limit.RULE,
    search_on_the_test_split.RULE,
    test_split_twice.RULE,
    time_of_any_machine.RULE,
    limit_inside_the_band.RULE,
)
