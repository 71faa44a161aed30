"""``edgebudget check``: the run of pytest's plugin, without pytest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from pytest_edgebudget.budget.folder import budget_files
from pytest_edgebudget.budget.runs import read_runs
from pytest_edgebudget.cli import BROKEN, INFRASTRUCTURE, KEPT, find_root
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.finish import (
    formats_of,
    parse_report,
    write_artifacts,
    write_locks,
    write_reports,
)
from pytest_edgebudget.paths import exists, is_folder
from pytest_edgebudget.recorder import Found
from pytest_edgebudget.report import terminal
from pytest_edgebudget.report.base import ErrorRow, Report, Run
from pytest_edgebudget.report.message import broken_text, lint_text
from pytest_edgebudget.session import Choices, GateSession
from pytest_edgebudget.types import Budget, ModelBudget
from pytest_edgebudget.wiring import command_line_manager, registry_of


def check(options: argparse.Namespace) -> int:
    """
    Gate every limit of the budget files; returns the exit code.

    Raises `EdgeBudgetError` for mistakes in what was asked for.
    """
    manager = command_line_manager()
    formats = formats_of(manager)
    asked = list(_parse(options.report, formats))
    session = GateSession(
        root=find_root(),
        registry=registry_of(manager),
        choices=Choices(
            strict=options.strict,
            optimize=not options.no_optimize,
            relock=options.update,
            fill=options.update_new,
            against=options.against,
            runs=_runs(options.run),
        ),
        say=_say if sys.stderr.isatty() else lambda text: None,
        observe=lambda verdict: manager.hook.pytest_edgebudget_verdict(verdict=verdict),
        measured=lambda artifact, measurement: manager.hook.pytest_edgebudget_measured(
            artifact=artifact, measurement=measurement
        ),
        executor=lambda: manager.hook.pytest_edgebudget_executor(),
    )
    session.read(list(_files(options.paths)))
    session.check_runs()
    session.past.check()
    with closing(session):
        for budget in session.budgets.values():
            _judge(session, budget)
    _say("")
    _print(session.run(), options.format, formats)
    lines = [*session.repairs(), *_write(session, asked, options)]
    print(*lines, sep="\n", end="\n" if lines else "", file=sys.stderr)
    unwritten = any(line.startswith("error") for line in lines)
    return INFRASTRUCTURE if unwritten else _exit_code(session.run())


def _runs(texts: Iterable[str]) -> dict[str, str]:
    try:
        return read_runs(texts)
    except EdgeBudgetError as error:
        raise EdgeBudgetError(f"--run {error.message}", error.hint) from error


def _parse(texts: Iterable[str], formats: dict[str, Report]) -> Iterator[tuple[Report, Path]]:
    for text in texts:
        try:
            yield parse_report(text, formats, Path.cwd())
        except ValueError as error:
            raise EdgeBudgetError(f"--report {error}") from error


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not exists(path):
            raise EdgeBudgetError(f"{path}: no such file or folder")
        found = budget_files(path) if is_folder(path) else [path.resolve()]
        if not found:
            raise EdgeBudgetError(f"{path}: no *.toml in this folder")
        yield from found


def _judge(session: GateSession, budget: Budget) -> None:
    file = session.name(budget.path)
    for part in budget.parts:
        for limit in part.limits:
            try:
                if isinstance(part, ModelBudget):
                    found = session.judge(budget, part, limit)
                else:
                    found = session.judge_group(budget, part, limit)
            except EdgeBudgetError as error:
                row = ErrorRow(
                    id=f"{file}::{part.name}::{limit.name}",
                    file=file,
                    model=part.name,
                    message=str(error),
                )
                found = Found(error=row)
            session.record(found)
        if isinstance(part, ModelBudget) and budget.lint.level != "off":
            session.recorder.add(_lint(session, budget, part))


def _lint(session: GateSession, budget: Budget, model: ModelBudget) -> Found:
    """What the linter says of the artifact; an error where there is none."""
    file = session.name(budget.path)
    try:
        return session.lint(budget, model)
    except EdgeBudgetError as error:
        name = f"{file}::{model.name}::lint"
        return Found(error=ErrorRow(id=name, file=file, model=model.name, message=str(error)))


def _print(run: Run, name: str, formats: dict[str, Report]) -> None:
    if name != "text":
        print(formats[name].render(run), end="")
        return
    print(terminal.table(run, colour=sys.stdout.isatty()), end="")
    for row in run.limits:
        if row.fails:
            print("\n" + broken_text(row, run.model(row.file, row.model)))
    for lint in run.lints:
        if lint.fails:
            print("\n" + lint_text(lint))
    for message in dict.fromkeys(error.message for error in run.errors):
        print(f"\nerror: {message}", file=sys.stderr)


def _write(
    session: GateSession, asked: Iterable[tuple[Report, Path]], options: argparse.Namespace
) -> Iterator[str]:
    run = session.run()
    yield from write_reports(asked, run)
    if options.artifacts:
        yield from write_artifacts(options.artifacts, run)
    if options.update or options.update_new:
        yield from write_locks(session)


def _exit_code(run: Run) -> int:
    if run.errors:
        return INFRASTRUCTURE
    fails = [row.fails for row in run.limits] + [row.fails for row in run.lints]
    return BROKEN if any(fails) else KEPT


def _say(text: str) -> None:
    if sys.stderr.isatty():
        width = 79
        print(f"\r{text[:width]:{width}}\r", end="", file=sys.stderr, flush=True)
