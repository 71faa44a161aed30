"""Rules put to one thing: what they find, and which of them failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_edgebudget.lint.base import Finding, Rule
from pytest_edgebudget.lint.result import Reported, reported

MOST = 1000
"""Findings of one rule in one file: more would tell nobody more, and cost memory."""


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
            found += (reported(rule, each, path, device) for each in _first(rule.check(subject)))
        except Exception as error:  # noqa: BLE001, RUF100 - whatever it is, the others go on
            crashes.append(crash(f"{rule.code} ({rule.name})", path, error))
    return found, crashes


def _first(findings: Iterable[Finding]) -> Iterator[Finding]:
    for number, each in enumerate(findings, 1):
        if number > MOST:
            yield Finding(f"there is more: the first {MOST:,} findings are listed")
            return
        yield each


def crash(what: str, path: Path, error: Exception) -> str:
    """The sentence for a mistake of ours, with the place in our code."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename).name
        place = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{path}: {what} failed: {type(error).__name__}: {error} ({place})"
