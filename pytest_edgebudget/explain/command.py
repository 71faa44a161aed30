"""`edgebudget explain`: a model, or the documentation of a metric, a rule or a recipe."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.explain.words import WIDTH, for_encoding
from pytest_edgebudget.paths import is_file
from pytest_edgebudget.types import Profile

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
    from pytest_edgebudget.explain.account import account

    found = account(path, _profile(options.profile))
    if options.plot:
        from pytest_edgebudget.explain.plot import write_plot

        write_plot(found, options.plot)
    if options.format == "json":
        from pytest_edgebudget.explain.json import as_json

        return as_json(found)
    from pytest_edgebudget.explain.text import as_text

    return for_encoding(as_text(found, columns()), sys.stdout.encoding or "utf-8")


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
