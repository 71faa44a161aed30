"""What comments take away from the findings of a run, and which comments took nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_edgebudget.budget.folder import extenders
from pytest_edgebudget.lint.apply import apply
from pytest_edgebudget.lint.budget_files import BudgetResult, NamedModel
from pytest_edgebudget.lint.budgets import ignore_without_reason, unused_ignore
from pytest_edgebudget.lint.ignores import BadIgnores, Ignore, IgnoreFile, UnusedIgnores
from pytest_edgebudget.lint.result import Reported
from pytest_edgebudget.lint.select import Selection

Codes = Callable[[], tuple[str, ...]]
"""All codes that exist; asked for only where there are comments."""


@dataclass(slots=True)
class Ignoring:
    """
    The comments of all budget files of a run.

    An extended file is met once for each file that extends it: its comments
    hold for all of them, and count as used when one of them needs them.
    """

    budgets: Sequence[BudgetResult]
    used: set[tuple[Ignore, str]] = field(default_factory=set)

    def of_budget(self, found: Iterable[Reported]) -> list[Reported]:
        """The findings in budget files that no comment ignores."""
        files = self._files()
        return [each for each in found if not self._take(each, _about(files, each))]

    def of_model(
        self, found: Iterable[Reported], names: Sequence[NamedModel]
    ) -> tuple[Reported, ...]:
        """
        The findings in a model that no comment ignores.

        What does not depend on the device is ignored when one budget says so;
        what does, only on that budget's device.
        """
        about = [(named, tuple(self._of(named))) for named in names]
        return tuple(left for each in found if (left := self._left(each, about)))

    def unused(self, selection: Selection) -> tuple[tuple[Ignore, str], ...]:
        """Comments that ignored nothing, in the files of the run, of rules that ran."""
        return tuple(
            (ignore, code)
            for result in self._reported()
            for ignore in result.comments[0].ignores
            for code in ignore.codes
            if (ignore, code) not in self.used
            and selection.wants(code)
            and not _for_the_gate(ignore, code, result.models)
        )

    def _reported(self) -> Iterator[BudgetResult]:
        """Budget files whose comments can be judged: all that need them are in the run."""
        here = {result.path.resolve() for result in self.budgets}
        for result in self.budgets:
            if result.comments and result.comments[0].ignores and extenders(result.path) <= here:
                yield result

    def _left(
        self, found: Reported, about: Sequence[tuple[NamedModel, Sequence[Ignore]]]
    ) -> Reported | None:
        gone = {
            named.profile.name
            for named, ignores in about
            if not found.devices or named.profile.name in found.devices
            if not named.wanted.wants(found.code) or self._take(found, ignores)
        }
        if not gone:
            return found
        left = tuple(device for device in found.devices if device not in gone)
        return replace(found, devices=left) if left else None

    def _take(self, found: Reported, ignores: Iterable[Ignore]) -> bool:
        taken = False
        for ignore in ignores:
            for code in ignore.codes:
                if found.code.startswith(code):
                    self.used.add((ignore, code))
                    taken = True
        return taken

    def _of(self, named: NamedModel) -> Iterator[Ignore]:
        for result in self.budgets:
            if result.comments and result.comments[0].file == named.budget:
                for file in result.comments:
                    yield from (each for each in file.ignores if each.model(named.name))

    def _files(self) -> dict[Path, IgnoreFile]:
        return {file.file: file for result in self.budgets for file in result.comments}


def about_comments(
    ignoring: Ignoring, selection: Selection, codes: Codes
) -> tuple[list[Reported], list[str]]:
    """What the rules about comments find, and which of them failed."""
    bad, failed = _bad(ignoring.budgets, codes)
    unused, failed_too = _unused(ignoring.unused(selection), codes)
    found = [each for each in (*bad, *unused) if selection.wants(each.code)]
    return found, failed + failed_too


def _bad(budgets: Iterable[BudgetResult], codes: Codes) -> tuple[list[Reported], list[str]]:
    """Comments that cannot be followed, of each file once."""
    files = {file.file: file for result in budgets for file in result.comments}
    ignores = tuple(each for file in files.values() for each in file.ignores)
    if not ignores:
        return [], []
    subject = BadIgnores(ignores, codes())
    return apply([ignore_without_reason.RULE], subject, ignores[0].file)


def _unused(
    unused: tuple[tuple[Ignore, str], ...], codes: Codes
) -> tuple[list[Reported], list[str]]:
    """Comments that took nothing; a code that no rule has is told already."""
    if not unused:
        return [], []
    known = codes()
    left = tuple(
        (ignore, code) for ignore, code in unused if any(each.startswith(code) for each in known)
    )
    return apply([unused_ignore.RULE], UnusedIgnores(left), unused[0][0].file)


def _for_the_gate(ignore: Ignore, code: str, models: Iterable[NamedModel]) -> bool:
    """Whether the comment may be about what a recipe makes, which only the gate looks at."""
    concerned = [named for named in models if ignore.model(named.name)]
    return not code.startswith("EB1") and any(named.optimized for named in concerned)


def _about(files: Mapping[Path, IgnoreFile], found: Reported) -> list[Ignore]:
    return files[found.path].about(found.line) if found.path in files else []
