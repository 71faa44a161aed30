"""``edgebudget lint``: from the options to the text that is printed, and the exit code."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

from pytest_edgebudget.lint.files import inputs
from pytest_edgebudget.lint.result import LintRun
from pytest_edgebudget.lint.run import Request, run
from pytest_edgebudget.lint.select import Selection, selection
from pytest_edgebudget.types import Profile


def lint(options: argparse.Namespace) -> tuple[str, int]:
    """
    Look at what *options* name; returns the output and the exit code.

    The exit code is 0 when nothing worse than a note was found, 1 for an error
    or a warning, 2 when a file could not be read, 3 when a rule failed.

    Raises:
        EdgeBudgetError: there is no such profile or rule.
    """
    done = run(
        Request(
            inputs=inputs(options.paths),
            profile=_profile(options.profile),
            selection=_selection(options.select, options.ignore),
            today=date.today(),  # noqa: DTZ011, RUF100 - a waiver ends on the user's own day
            codes=codes,
        )
    )
    return _rendered(done, options.format), done.exit_code


def codes() -> tuple[str, ...]:
    """The codes of all rules, built-in and added."""
    from pytest_edgebudget.lint.families import all_rules

    return tuple(rule.code for rule in all_rules())


def _selection(select: list[str], ignore: list[str]) -> Selection:
    return selection(select, ignore, codes()) if select or ignore else Selection()


def _profile(name: str | None) -> Profile | None:
    if name is None:
        return None
    from pytest_edgebudget.devices import profile_named

    return profile_named(name)


def _rendered(done: LintRun, name: str) -> str:
    # Each format is imported when it is asked for: a cold start pays for one.
    if name == "json":
        from pytest_edgebudget.lint import json

        return json.render(done)
    if name == "text":
        from pytest_edgebudget.lint import text

        return text.render(done, colour=_colour())
    from pytest_edgebudget.lint.places import checkout

    top = checkout(Path.cwd())
    if name == "github":
        from pytest_edgebudget.lint import github

        return github.render(done, top)
    from pytest_edgebudget.lint import sarif
    from pytest_edgebudget.lint.families import all_rules

    return sarif.render(done, all_rules(), top)


def _colour() -> bool:
    """On a terminal, unless NO_COLOR says otherwise (https://no-color.org)."""
    return bool(sys.stdout and sys.stdout.isatty()) and not os.environ.get("NO_COLOR")
