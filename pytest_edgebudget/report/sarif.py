"""The SARIF report: limits that do not hold, and the linter's findings, for code scanning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_edgebudget import sarif
from pytest_edgebudget.lint.places import checkout, from_checkout
from pytest_edgebudget.lint.sarif import sarif_rule
from pytest_edgebudget.report import words
from pytest_edgebudget.report.advice import advice
from pytest_edgebudget.report.base import FindingRow, LimitRow, LintRow, Report, Run
from pytest_edgebudget.sarif import SarifPlace, SarifResult, SarifRule

LEVELS = {
    "broken": "error",
    "unmeasured": "error",
    "warned": "warning",
    "waived": "note",
    "undecided": "note",
}
"""Of limits, by status; those that are kept or skipped are no results."""

SUMMARIES = {
    "broken": "A model does not keep a limit of its budget.",
    "unmeasured": "A limit of a budget could not be measured, and fails.",
    "warned": "A model does not keep a limit that is a warning.",
    "waived": "A model does not keep a limit that is waived for a while.",
    "undecided": "A limit lies inside the interval of a noisy reading.",
}


def render(run: Run) -> str:
    """
    One result a limit that is not kept, at its line in the budget file, and one a finding.

    Findings are about the artifact that was gated, and are shown at the line of
    its model in the budget file. What failed for other reasons is a
    notification: the tool's trouble, and nothing about the model.
    """
    root = Path(run.root)
    top = checkout(root)
    limits = [row for row in run.limits if row.status in LEVELS]
    results = [_limit(run, row, root, top) for row in limits]
    results += [_finding(row, each, root, top) for row in run.lints for each in row.findings]
    return sarif.render(
        [*_limit_rules(limits), *_lint_rules(run.lints)],
        results,
        category="edge-budget",
        failures=(f"{error.id}: {error.message}" for error in run.errors),
    )


def _limit_rules(rows: Iterable[LimitRow]) -> Iterator[SarifRule]:
    for status in dict.fromkeys(row.status for row in rows):
        summary = SUMMARIES[status]
        level, tags = LEVELS[status], ("edgebudget", "limit")
        name = f"limit-{status}"
        yield SarifRule(id=name, name=name, summary=summary, help=summary, level=level, tags=tags)


def _lint_rules(rows: Iterable[LintRow]) -> Iterator[SarifRule]:
    found = {finding.code: finding for row in rows for finding in row.findings}
    if not found:
        return
    from pytest_edgebudget.lint.families import all_rules

    known = {rule.code: rule for rule in all_rules()}
    for code, finding in found.items():
        if code in known:
            yield sarif_rule(known[code])
        else:  # of a conftest, which only the gate's process has loaded
            tags = ("edgebudget",)
            name = finding.rule
            yield SarifRule(
                id=code, name=name, summary=name, help=name, level=finding.severity, tags=tags
            )


def _limit(run: Run, row: LimitRow, root: Path, top: Path) -> SarifResult:
    file, _, line = row.where.rpartition(":")
    fixes = [f"- {fix}" for fix in advice(row, run.model(row.file, row.model))]
    text = words.one_line(row) + (f" ({row.reason or row.waiver})" * bool(row.reason or row.waiver))
    return SarifResult(
        rule=f"limit-{row.status}",
        level=LEVELS[row.status],
        message="\n".join([text, *fixes]),
        place=SarifPlace(from_checkout(root / (file or row.file), top), int(line or row.line)),
        identity=row.id,
    )


def _finding(row: LintRow, found: FindingRow, root: Path, top: Path) -> SarifResult:
    where = f"{found.where}: " if found.where else ""
    instead = f"\nInstead: {found.instead}" if found.instead else ""
    return SarifResult(
        rule=found.code,
        level=found.severity,
        message=f"{row.model}: {where}{found.message}{instead}",
        place=SarifPlace(from_checkout(root / row.file, top), row.line),
        identity=f"{row.id}\0{found.where}",
    )


REPORT = Report(name="sarif", render=render)
