"""The HTML report: one file that opens anywhere, without a network."""

from pytest_edgebudget.report.base import Report, Run


def render(run: Run) -> str:
    """One self-contained file; see `page.render`, which only a run that asks for it imports."""
    from pytest_edgebudget.html.page import render as page

    return page(run)


def render_with_samples(run: Run) -> str:
    """The same with pictures of samples that flipped: data of the user's, who asked for them."""
    from pytest_edgebudget.html.page import render as page

    return page(run, samples=True)


REPORT = Report(name="html", render=render)
REPORTS = (REPORT, Report(name="html+samples", render=render_with_samples))
