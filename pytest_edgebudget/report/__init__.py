"""One format a file; this table names them all."""

from pytest_edgebudget.report import github, gitlab, json, markdown, sarif
from pytest_edgebudget.report.base import Report as Report

BUILT_IN: tuple[Report, ...] = (
    github.REPORT,
    gitlab.METRICS,
    gitlab.QUALITY,
    json.REPORT,
    markdown.REPORT,
    sarif.REPORT,
)
