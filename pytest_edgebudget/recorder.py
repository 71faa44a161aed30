"""Collects what items found, from this process or from xdist's workers, into a Run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pytest_edgebudget import __version__
from pytest_edgebudget.lock import LockEntry, entry_from_plain, entry_to_plain
from pytest_edgebudget.report.base import (
    ErrorRow,
    FileRow,
    LimitRow,
    LintRow,
    ModelRow,
    Run,
    from_plain,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one item found: its limit's verdict (or the linter's) and its model, or an error."""

    limit: LimitRow | None = None
    lint: LintRow | None = None
    model: ModelRow | None = None
    lock: LockEntry | None = None
    error: ErrorRow | None = None

    def to_plain(self) -> dict[str, Any]:
        """Plain types, which pytest-xdist can send."""
        return {
            "limit": asdict(self.limit) if self.limit else None,
            "lint": asdict(self.lint) if self.lint else None,
            "model": asdict(self.model) if self.model else None,
            "lock": entry_to_plain(self.lock) if self.lock else None,
            "error": asdict(self.error) if self.error else None,
        }

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Found:
        """The reverse of `to_plain`."""
        return cls(
            limit=from_plain(LimitRow, data["limit"]) if data["limit"] else None,
            lint=from_plain(LintRow, data["lint"]) if data["lint"] else None,
            model=from_plain(ModelRow, data["model"]) if data["model"] else None,
            lock=entry_from_plain(data["lock"]) if data["lock"] else None,
            error=from_plain(ErrorRow, data["error"]) if data["error"] else None,
        )


@dataclass(slots=True)
class Recorder:
    """What has been found so far, by id: a rerun of an item replaces its row."""

    limits: dict[str, LimitRow] = field(default_factory=dict)
    lints: dict[str, LintRow] = field(default_factory=dict)
    models: dict[tuple[str, str], ModelRow] = field(default_factory=dict)
    locks: dict[tuple[str, str], LockEntry] = field(default_factory=dict)
    errors: dict[str, ErrorRow] = field(default_factory=dict)

    def add(self, found: Found) -> None:
        """Keep what one item found."""
        if found.limit:
            self.limits[found.limit.id] = found.limit
            self.errors.pop(found.limit.id, None)
        if found.lint:
            self.lints[found.lint.id] = found.lint
            self.errors.pop(found.lint.id, None)
        if found.error:
            self.errors[found.error.id] = found.error
        if found.model:
            key = found.model.file, found.model.name
            self.models[key] = found.model
            if found.lock:
                self.locks[key] = found.lock

    def run(self, files: Iterable[FileRow], ids: Iterable[str]) -> Run:
        """
        Everything in the order of *ids*, which is the budget files'.

        Only the files that yielded something are listed.
        """
        order = {each: index for index, each in enumerate(ids)}
        limits = sorted(self.limits.values(), key=lambda row: order.get(row.id, len(order)))
        lints = sorted(self.lints.values(), key=lambda row: order.get(row.id, len(order)))
        rows: list[LimitRow | LintRow | ErrorRow] = [*limits, *lints, *self.errors.values()]
        seen = {row.file for row in rows}
        return Run(
            version=__version__,
            files=tuple(row for row in files if row.file in seen),
            models=tuple(self.models[key] for key in sorted(self.models)),
            limits=tuple(limits),
            lints=tuple(lints),
            errors=tuple(
                sorted(
                    self.errors.values(), key=lambda row: (order.get(row.id, len(order)), row.id)
                )
            ),
        )

    def counts(self) -> dict[str, int]:
        """How many limits there are of each status."""
        found: dict[str, int] = {}
        for row in self.limits.values():
            found[row.status] = found.get(row.status, 0) + 1
        return found
