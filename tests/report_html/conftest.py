"""The run of the other reports, here too."""

from tests.report.conftest import model, run, size  # noqa: F401 fixtures
