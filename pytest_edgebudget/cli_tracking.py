"""The part of the command line that compares and remembers: ``compare``, ``history``."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_edgebudget.history.series import Series
    from pytest_edgebudget.store import Store

Commands = argparse._SubParsersAction  # the type has no public name


def add_tracking(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    compare = commands.add_parser("compare", help="what changed between two JSON reports")
    compare.add_argument("before", type=Path, metavar="BEFORE.json")
    compare.add_argument("after", type=Path, metavar="AFTER.json")
    compare.add_argument("--format", choices=["text", "markdown", "json"], default="text")
    compare.set_defaults(command=_compare)
    _add_history(commands)


def _add_history(commands: Commands[argparse.ArgumentParser]) -> None:
    history = commands.add_parser("history", help="readings over time, and where they changed")
    history.add_argument(
        "words", nargs="*", metavar="MODEL [METRIC]",
        help="whose readings; import REPORT.json: add those of another run; prune: remove old ones",
    )  # fmt: skip
    history.add_argument("--format", choices=["text", "json", "csv"], default="text")
    history.add_argument("--branch", default="", help="only of this branch; of what is imported")
    history.add_argument("--commit", default="", help="of what is imported")
    history.add_argument("--older-than", default="", metavar="TIME", help='for prune: "90 d"')
    history.add_argument("--plot", type=Path, metavar="FILE", help="draw it, as .svg or .png")
    history.set_defaults(command=_history)


def _compare(options: argparse.Namespace) -> int:
    from pytest_edgebudget.compare.command import compare

    print(compare(options.before, options.after, options.format, _cache()), end="")
    return 0


def _cache() -> Store | None:
    """The cache, where there is one to read: two files are compared without it, too."""
    from pytest_edgebudget.cli import find_root
    from pytest_edgebudget.errors import EdgeBudgetError
    from pytest_edgebudget.settings import read_settings
    from pytest_edgebudget.store import Store

    try:
        settings = read_settings(find_root())
        return Store(settings.cache, settings.cache_limit) if settings.cache.is_dir() else None
    except EdgeBudgetError:
        return None


def _plot(path: Path, found: Sequence[Series]) -> None:
    from pytest_edgebudget.html.standalone import write_plot

    write_plot(found, path)


def _history(options: argparse.Namespace) -> int:
    from pytest_edgebudget.cli import find_root
    from pytest_edgebudget.history.command import Asked, run

    asked = Asked(
        words=options.words,
        fmt=options.format,
        branch=options.branch,
        commit=options.commit,
        older_than=options.older_than,
        plot=partial(_plot, options.plot) if options.plot else None,
    )
    text = run(asked, find_root(), lambda line: print(line, file=sys.stderr))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without bars
    print(text, end="")
    return 0
