"""The part of the command line that compares and remembers: ``compare``."""

from __future__ import annotations

import argparse
from pathlib import Path

Commands = argparse._SubParsersAction  # the type has no public name


def add_tracking(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    compare = commands.add_parser("compare", help="what changed between two JSON reports")
    compare.add_argument("before", type=Path, metavar="BEFORE.json")
    compare.add_argument("after", type=Path, metavar="AFTER.json")
    compare.add_argument("--format", choices=["text", "markdown", "json"], default="text")
    compare.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> int:
    from pytest_edgebudget.compare.command import compare

    print(compare(options.before, options.after, options.format), end="")
    return 0
