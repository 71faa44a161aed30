"""Findings for code scanning: ``--format sarif``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_edgebudget import sarif
from pytest_edgebudget.lint.base import Rule
from pytest_edgebudget.lint.markdown import markdown
from pytest_edgebudget.lint.places import from_checkout, place_of
from pytest_edgebudget.lint.result import LintRun, Named, Reported
from pytest_edgebudget.sarif import SarifPlace, SarifResult, SarifRule

FAMILIES = {
    "1": "budget",
    "2": "structure",
    "3": "quantization",
    "4": "device",
    "5": "runtime",
}


def render(run: LintRun, rules: Iterable[Rule], checkout: Path) -> str:
    """The run as SARIF; places are those of the workflow's annotations (see `github`)."""
    found = [(each, file.named) for file in run.files for each in file.found]
    return sarif.render(
        [sarif_rule(rule) for rule in rules],
        [_result(each, named, checkout) for each, named in found],
        category="edgebudget-lint",
        failures=run.crashes,
    )


def sarif_rule(rule: Rule) -> SarifRule:
    """A rule with its documentation."""
    family = FAMILIES.get(rule.code[2]) if rule.code.startswith("EB") else None
    return SarifRule(
        id=rule.code,
        name=rule.name,
        summary=rule.summary,
        help=markdown(rule.doc),
        level=str(rule.severity),
        tags=("edgebudget", family) if family else ("edgebudget",),
    )


def _result(each: Reported, named: Named | None, checkout: Path) -> SarifResult:
    path, line = place_of(each, named)
    model = from_checkout(each.path, checkout)
    where = f"{each.where}: " if each.where else ""
    devices = f" (on {', '.join(each.devices)})" if each.devices else ""
    return SarifResult(
        rule=each.code,
        level=str(each.severity),
        message=f"{where}{each.message}{devices}{_instead(each.instead)}",
        place=SarifPlace(from_checkout(path, checkout), line),
        identity=f"{model}\0{each.where}",
        related=(SarifPlace(model), "the model") if path != each.path else None,
    )


def _instead(text: str) -> str:
    return f"\nInstead: {text}" if text else ""
