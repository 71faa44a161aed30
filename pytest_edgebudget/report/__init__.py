"""One format a file; this table names them all."""

from pytest_edgebudget.report import json, markdown, sarif
from pytest_edgebudget.report.base import Report as Report

BUILT_IN: tuple[Report, ...] = (json.REPORT, markdown.REPORT, sarif.REPORT)
