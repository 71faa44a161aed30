"""Built-in and added metrics, passes, profiles and reports, through the same hooks."""

from __future__ import annotations

import pluggy

from pytest_edgebudget import report
from pytest_edgebudget.extensions import by_name
from pytest_edgebudget.extensions import command_line_manager as command_line_manager
from pytest_edgebudget.extensions import registry_of as registry_of
from pytest_edgebudget.report.base import Report


def reports_of(manager: pluggy.PluginManager) -> dict[str, Report]:
    """Report formats by name."""
    return by_name(report.BUILT_IN, manager.hook.pytest_edgebudget_reports(), "report")
