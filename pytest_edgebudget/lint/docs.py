"""
``docs/rules.md``: what each rule finds, from the rules' own documentation.

``python -m pytest_edgebudget.lint.docs docs/rules.md`` writes it anew; a test
fails when it is stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from pytest_edgebudget.lint.base import BudgetFile, OnDevice, Rule
from pytest_edgebudget.lint.markdown import markdown
from pytest_edgebudget.lint.table import RULES

_INTRODUCTION = """\
# Rules

What `edgebudget lint` finds. `edgebudget explain EB203` prints the same in the terminal;
[lint.md](lint.md) says how to choose rules, and how to ignore a finding with a reason.
This page is generated from the rules.

An **error** will not work on the device, or works wrongly. A **warning** costs bytes, memory
or time that need not be spent, or leaves a limit without meaning. A **note** is worth knowing,
and does not change the exit code. A rule that is said to need a device is silent without
`--profile`; a budget file names its own.
"""

_FAMILIES = {
    "EB1": "Budget files",
    "EB2": "Structure of models",
    "EB3": "Quantization",
    "EB4": "Device support",
    "EB5": "Runtime compatibility",
}


def render(rules: Sequence[Rule] = RULES) -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for family, group in groupby(rules, key=lambda rule: rule.code[:3]):
        members = list(group)
        parts += [f"## {family}xx {_FAMILIES[family]}\n\n" + "".join(_table(members))]
        parts += [_rule(rule) for rule in members]
    return "\n".join(parts)


def _table(rules: Iterable[Rule]) -> Iterator[str]:
    yield "| code | name | severity | what it finds |\n| --- | --- | --- | --- |\n"
    for rule in rules:
        code = f"[{rule.code}](#{_anchor(rule)})"
        summary = rule.summary.replace("``", "`").replace("|", "\\|")
        yield f"| {code} | {rule.name} | {rule.severity} | {summary} |\n"


def _rule(rule: Rule) -> str:
    facts = [f"Severity: {rule.severity}.", *_needs(rule)]
    return f"### {rule.code} {rule.name}\n\n{' '.join(facts)}\n\n{markdown(rule.doc)}"


def _needs(rule: Rule) -> Iterator[str]:
    if rule.needs is OnDevice:
        yield "Needs a device."
    if rule.needs is not BudgetFile and len(rule.formats) == 1:
        yield f"Of .{next(iter(rule.formats))} models only."


def _anchor(rule: Rule) -> str:
    """As GitHub makes it from the heading."""
    return f"{rule.code} {rule.name}".lower().replace(" ", "-")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), encoding="utf-8")
