"""What came out of a run of the linter, as plain values for all formats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pytest_edgebudget.lint.base import Finding, Rule, Severity
from pytest_edgebudget.texts import printable

LONG = 1000
"""Characters of a sentence or a name that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """
    A finding, with its rule's *code*, *name* and its *severity*.

    *path*, *line*: the file that it is about; *line* is 0 for a model.
    *devices*: the profiles on which it holds; empty where the device does not matter.
    *saves*: bytes of the file that doing so would save, where that is known.
    """

    code: str
    name: str
    severity: Severity
    path: Path
    message: str
    where: str = ""
    instead: str = ""
    line: int = 0
    devices: tuple[str, ...] = ()
    saves: int = 0

    @property
    def place(self) -> tuple[Path, int]:
        """File and line."""
        return self.path, self.line


@dataclass(frozen=True, slots=True)
class Named:
    """Where a budget file names a model: file and line, both for people."""

    path: Path
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """
    What is to be said about one file.

    *unreadable*: the file could not be used, and *found* says why. *crashes*:
    mistakes of ours, one sentence each. *skipped*: why the file was not looked
    at, if so. *named*: the first budget file that names this model.
    """

    path: Path
    found: tuple[Reported, ...] = ()
    unreadable: bool = False
    crashes: tuple[str, ...] = ()
    skipped: str = ""
    named: Named | None = None


@dataclass(frozen=True, slots=True)
class LintRun:
    """The results of a run, in the order of the files."""

    files: tuple[FileResult, ...]

    @property
    def found(self) -> tuple[Reported, ...]:
        """All findings."""
        return tuple(each for file in self.files for each in file.found)

    @property
    def crashes(self) -> tuple[str, ...]:
        """All mistakes of ours."""
        return tuple(crash for file in self.files for crash in file.crashes)

    def count(self, severity: Severity) -> int:
        """How many findings are of that severity."""
        return sum(each.severity is severity for each in self.found)

    @property
    def checked(self) -> int:
        """How many files were looked at."""
        return sum(not (file.skipped or file.unreadable) for file in self.files)

    @property
    def exit_code(self) -> int:
        """0 nothing worse than a note, 1 an error or a warning, 2 unreadable, 3 our mistake."""
        if self.crashes:
            return 3
        if any(file.unreadable for file in self.files):
            return 2
        return int(any(each.severity is not Severity.NOTE for each in self.found))


def reported(rule: Rule, finding: Finding, path: Path, device: str = "") -> Reported:
    """*finding* of *rule* in the file at *path*, on a device where that matters."""
    return Reported(
        code=rule.code,
        name=rule.name,
        severity=finding.severity or rule.severity,
        path=finding.file or path,
        message=_readable(finding.message),
        where=_readable(finding.where),
        instead=_readable(finding.instead),
        line=finding.line,
        devices=(device,) if device else (),
        saves=finding.saves,
    )


def _readable(text: str) -> str:
    """*text* as a terminal may show it: names in models are written by strangers, of any length."""
    if len(text) > LONG:
        text = f"{text[:LONG]}..."
    return printable(text)


def merged(found: list[Reported]) -> tuple[Reported, ...]:
    """What was found on several devices, or through several budget files, is said once."""
    places: dict[Reported, list[str]] = {}
    for each in found:
        devices = places.setdefault(replace(each, devices=()), [])
        devices += [device for device in each.devices if device not in devices]
    return tuple(replace(each, devices=tuple(devices)) for each, devices in places.items())
