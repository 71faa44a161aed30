"""
A time is limited on whatever machine happens to run the tests.

What it finds
    Maxima of ``latency``, ``latency_p95``, ``latency_p99`` or ``cold_start`` with the profile
    ``host``, that fail.

Why it hurts
    The same commit is kept on one machine and broken on another. Two processors of one cloud
    provider differ by more than most optimizations save, and on a shared runner one worker in
    ten ran at half speed for its whole life.

Example
    ::

        [device]
        profile = "host"

        [models.keywords.budget]
        latency = "1 ms"

Instead
    Name the machine: always the same runner, and a comment here that ignores this rule and says
    which. Where the machine changes, ``level = "warn"`` shows the time, and ``macs`` or
    ``instructions`` hold on to what does not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at

_TIMES = frozenset({"latency", "latency_p95", "latency_p99", "cold_start"})


def check(file: BudgetFile) -> Iterator[Finding]:
    """The first limit of a time; the others have the same reason."""
    if file.budget.device.profile.name != "host":
        return
    limits = [limit for part in file.budget.parts for limit in part.limits]
    times = [each for each in limits if each.metric in _TIMES and each.level == "error"]
    if times and times[0].max is not None:
        names = ", ".join(dict.fromkeys(limit.name for limit in times))
        yield at(times[0].place, f"{names}: another machine gives another verdict")


RULE = Rule(
    code="EB116",
    name="time-of-any-machine",
    severity=Severity.NOTE,
    needs=BudgetFile,
    check=check,
)
