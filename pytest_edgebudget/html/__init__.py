"""The HTML report: one file that opens anywhere, without a network."""

from pytest_edgebudget.report.base import Report, Run


def render(run: Run) -> str:
    """One self-contained file; see `page.render`, which only a run that asks for it imports."""
    from pytest_edgebudget.html.page import render as page

    return page(run)


REPORT = Report(name="html", render=render)
