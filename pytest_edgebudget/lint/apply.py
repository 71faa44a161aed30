"""Rules put to one thing: what they find, and which of them failed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pytest_edgebudget.lint.base import Rule
from pytest_edgebudget.lint.result import Reported, reported

T = TypeVar("T")


def apply(
    rules: Iterable[Rule], subject: object, path: Path, device: str = ""
) -> tuple[list[Reported], list[str]]:
    """
    What *rules* find in *subject*, which is of the class that they need.

    A rule that raises is a mistake of ours and no finding: the others go on,
    and a sentence names the rule and the file.
    """
    found: list[Reported] = []
    crashes: list[str] = []
    for rule in rules:
        try:
            found += [reported(rule, each, path, device) for each in rule.check(subject)]
        except Exception as error:  # noqa: BLE001, RUF100 - whatever it is, the others go on
            crashes.append(crash(f"{rule.code} ({rule.name})", path, error))
    return found, crashes


def crash(what: str, path: Path, error: Exception) -> str:
    """The sentence for a mistake of ours, with the place in our code."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename).name
        place = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{path}: {what} failed: {type(error).__name__}: {error} ({place})"
