"""`edgebudget explain`: a model, or the documentation of a metric, a rule or a recipe."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.explain.words import WIDTH, for_encoding, printable
from pytest_edgebudget.paths import is_file
from pytest_edgebudget.types import Profile

if TYPE_CHECKING:
    from pytest_edgebudget.explain.account import NotPlanned

_SUFFIXES = (".tflite", ".onnx")
_NARROWEST = 40


def explain(options: argparse.Namespace) -> str:
    """
    The text (or JSON) that was asked for; draws *options.plot*, too.

    Raises:
        ModelError: the file is not there, or not a model.
        EdgeBudgetError: there is nothing of that name; a profile or a picture
            cannot be had.
    """
    path = Path(options.name)
    if path.suffix.lower() in _SUFFIXES or (is_file(path) and path.suffix != ".toml"):
        return _model(path, options)
    if options.plot or options.profile:
        raise EdgeBudgetError(f"{options.name}: not a model", "--plot and --profile are for models")
    from pytest_edgebudget.explain.names import documentation

    return documentation(options.name, as_json=options.format == "json")


def _model(path: Path, options: argparse.Namespace) -> str:
    from pytest_edgebudget.explain.account import NotPlanned, account

    profile = _profile(options.profile)
    try:
        found = account(path, profile)
    except NotPlanned as error:
        if profile is None or options.plot:
            raise
        return _time_alone(path, profile, error, as_json=options.format == "json")
    if options.plot:
        from pytest_edgebudget.explain.plot import write_plot

        write_plot(found, options.plot)
    if options.format == "json":
        from pytest_edgebudget.explain.json import as_json

        return as_json(found)
    from pytest_edgebudget.explain.text import as_text

    return for_encoding(as_text(found, columns()), sys.stdout.encoding or "utf-8")


def _time_alone(path: Path, profile: Profile, error: NotPlanned, *, as_json: bool) -> str:
    """What is known of a runtime whose plan is not; raises *error* where that is nothing."""
    from pytest_edgebudget.explain.time import times

    found = times(error.graph, profile, error.runtime)
    if found.found is None:
        raise error
    if as_json:
        from pytest_edgebudget.explain.json import time_as_json

        return time_as_json(path, found)
    from pytest_edgebudget.explain.time_text import time_lines

    lines = [printable(str(path)), f"  {error.message}", "", *time_lines(found, _plain, columns())]
    return for_encoding("\n".join(lines) + "\n", sys.stdout.encoding or "utf-8")


def _plain(name: str) -> str:
    return printable(name.split(";")[0])


def columns() -> int:
    """Columns of the terminal, from 40 to 100; 100 where the output is none."""
    try:
        there = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 0
    except (OSError, ValueError):  # no terminal after all, or a closed one
        there = 0
    return min(max(there, _NARROWEST), WIDTH) if there else WIDTH


def _profile(name: str | None) -> Profile | None:
    if name is None:
        return None
    from pytest_edgebudget.devices.profile import profile_named

    return profile_named(name)
