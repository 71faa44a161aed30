"""The plugin object of a run that asked for budgets: collects, records, reports."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_edgebudget.ending import INTERRUPTED, interruptible
from pytest_edgebudget.errors import BudgetError, EdgeBudgetError
from pytest_edgebudget.finish import (
    formats_of,
    parse_report,
    write_artifacts,
    write_locks,
    write_reports,
)
from pytest_edgebudget.items import BudgetFile, JudgedItem
from pytest_edgebudget.options import Options, read_options
from pytest_edgebudget.progress import Progress
from pytest_edgebudget.recorder import Found
from pytest_edgebudget.report import Report, terminal
from pytest_edgebudget.session import Choices, GateSession
from pytest_edgebudget.wiring import registry_of

if TYPE_CHECKING:
    from pytest_edgebudget.lint.base import Rule

YELLOW = {"yellow": True}
LETTERS = {"undecided": "u", "warned": "w", "waived": "W"}


class Gate:
    """pytest's hooks of one run; the work is `GateSession`'s."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.options: Options = read_options(config)
        self.worker = hasattr(config, "workerinput")
        self.collected: set[str] = set()
        self.wrote: list[str] = []
        self.progress = Progress(config)
        self._session: GateSession | None = None
        self._open = ExitStack()
        self._open.enter_context(interruptible())
        if self.options.only:
            config.args[:] = [str(path) for path in self.options.files]
            config.args_source = pytest.Config.ArgsSource.ARGS

    def pytest_keyboard_interrupt(self) -> None:
        """Nothing is lost."""
        if reporter := self.config.pluginmanager.get_plugin("terminalreporter"):
            reporter.write_line(INTERRUPTED)

    @property
    def session(self) -> GateSession:
        """The session, made on first use: conftest hooks are known by then."""
        if self._session is None:
            self._session = GateSession(
                root=self.config.rootpath,
                registry=registry_of(self.config.pluginmanager),
                choices=Choices(
                    strict=self.options.strict,
                    optimize=self.options.optimize,
                    relock=self.options.update,
                    fill=self.options.update_new,
                    against=self.options.against,
                    runs=self.options.runs,
                ),
                say=self.progress.say,
                observe=lambda v: self.config.hook.pytest_edgebudget_verdict(verdict=v),
                measured=lambda artifact, measurement: self.config.hook.pytest_edgebudget_measured(
                    artifact=artifact, measurement=measurement
                ),
                rules=self._rules,
                executor=lambda: self.config.hook.pytest_edgebudget_executor(),
            )
        return self._session

    def _rules(self) -> tuple[Rule, ...]:
        """The linter's rules of plugins and conftest files."""
        from pytest_edgebudget.lint.families import rules_of

        return rules_of(self.config.pluginmanager)

    def read(self, files: Iterable[Path]) -> None:
        """Read budget files; a mistake is a usage error that lists them all."""
        try:
            self.session.read(files)
        except BudgetError as error:
            raise pytest.UsageError(*map(str, error.mistakes)) from error
        except EdgeBudgetError as error:
            raise pytest.UsageError(str(error)) from error

    def _check_runs(self) -> None:
        try:
            self.session.check_runs()
        except EdgeBudgetError as error:
            raise pytest.UsageError(f"--edge-budget-run {error}") from error
        try:
            self.session.past.check()
        except EdgeBudgetError as error:
            raise pytest.UsageError(f"--edge-budget-against {error}") from error

    def close(self) -> None:
        """End what was started."""
        self.progress.clear()
        with self._open:
            if self._session is not None:
                self._session.close()

    # --- collection ---------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Read the budgets before anything is collected."""
        self.read(self.options.all_files)
        self._check_runs()
        self._reports()

    def pytest_report_header(self) -> list[str]:
        """Which budgets, devices and runtimes this run uses."""
        session = self.session
        return [terminal.header(session.file_row(b)) for b in session.budgets.values()]

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Claim the budget files that pytest itself was sent to, and no other TOML file."""
        if file_path.suffix == ".toml" and file_path.resolve() in self.options.claimed:
            return BudgetFile.of(parent, file_path, self.session)
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Add the budgets to a run that names other paths; note what was collected."""
        for path in self.options.files:
            if path not in self.options.claimed:
                node = BudgetFile.of(session, path, self.session)
                items.extend(session.genitems(node))
        self.collected |= {
            str(item.part.budget.path) for item in items if isinstance(item, JudgedItem)
        }

    # --- running ------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let each report carry what its item found."""
        report = yield
        if isinstance(item, JudgedItem) and (found := item.outcome(report)):
            report.edgebudget = found  # type: ignore[attr-defined]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record what came in, from here or from a worker."""
        if plain := getattr(report, "edgebudget", None):
            found = Found.from_plain(plain)
            if self.worker:
                self.session.recorder.add(found)
            else:
                self.session.record(found)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        """Outcomes of their own for limits that neither hold nor fail."""
        plain = getattr(report, "edgebudget", None)
        if not plain or report.when != "call" or not report.passed:
            return None
        status = (plain["limit"] or plain["lint"] or {"status": ""})["status"]
        if status not in LETTERS:
            return None
        return status, LETTERS[status], (status.upper(), YELLOW)

    # --- the end ------------------------------------------------------------

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what was asked for; a file that yielded no limit is an error."""
        if self.worker:
            self.config.workeroutput["edgebudget"] = sorted(self.collected)  # type: ignore[attr-defined]
            return
        self.progress.clear()
        missed = [path for path in self.options.all_files if str(path) not in self.collected]
        if self.config.getoption("lf", default=False):
            missed = []  # --lf leaves out files in which nothing failed
        if missed and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            names = ", ".join(self.session.name(path) for path in missed)
            self.wrote.append(f"error: no limit was collected from {names}")
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if not self.config.getoption("collectonly"):
            self.wrote += [*self.session.repairs(), *self._write()]
            if session.exitstatus == pytest.ExitCode.OK and _failed(self.wrote):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _reports(self) -> list[tuple[Report, Path]]:
        base = self.config.invocation_params.dir
        try:
            formats = formats_of(self.config.pluginmanager)
            return [parse_report(text, formats, base) for text in self.options.reports]
        except (ValueError, EdgeBudgetError) as error:
            raise pytest.UsageError(f"--edge-budget-report {error}") from error

    def _write(self) -> Iterator[str]:
        run = self.session.run()
        yield from write_reports(self._reports(), run)
        if self.options.artifacts:
            yield from write_artifacts(self.options.artifacts, run)
        if self.options.update or self.options.update_new:
            yield from write_locks(self.session)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The table, and what was written where."""
        run = self.session.run()
        if run.limits or run.lints or run.errors:
            terminalreporter.section("edge budgets")
            tw = terminalreporter._tw
            tw.write(terminal.table(run, colour=tw.hasmarkup))
        for line in self.wrote:
            terminalreporter.write_line(line, red=line.startswith("error"))

    # --- pytest-xdist -------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what was asked for: it is given rewritten paths."""
        node.workerinput["edgebudget"] = self.options.to_plain()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Learn what a worker collected."""
        self.collected |= set(getattr(node, "workeroutput", {}).get("edgebudget", ()))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep the limits of one model on one worker."""
        if config.getoption("dist", "no") != "load":
            return None
        from pytest_edgebudget.scheduling import ModelScheduling

        return ModelScheduling(config, log)


def _failed(lines: Iterable[str]) -> bool:
    """Whether something that was asked for could not be written."""
    return any(line.startswith("error") for line in lines)
