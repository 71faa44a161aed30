"""A cache that notes what a task used of it, for the one who asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_edgebudget.cluster.parcels import Parcel, packed
from pytest_edgebudget.cluster.tasks import Record
from pytest_edgebudget.jobs import JSON
from pytest_edgebudget.store import Store


class NotingStore(Store):
    """A `Store` for one task: *records* and *files* are what it read, found or wrote."""

    def __init__(self, folder: Path, limit: int) -> None:
        super().__init__(folder, limit)
        self.records: dict[tuple[str, tuple[tuple[str, str], ...]], JSON] = {}
        self.files: dict[str, Path] = {}

    def put_file(
        self, path: Path, suffix: str, beside: Mapping[str, Path] | None = None
    ) -> tuple[str, Path]:
        """As that of `Store`."""
        sha256, place = super().put_file(path, suffix, beside)
        self.files[sha256] = place
        return sha256, place

    def file(self, sha256: str, suffix: str) -> Path | None:
        """As that of `Store`."""
        place = super().file(sha256, suffix)
        if place is not None:
            self.files[sha256] = place
        return place

    def record(self, kind: str, key: Mapping[str, str]) -> JSON:
        """As that of `Store`."""
        value = super().record(kind, key)
        if value is not None:
            self._note(kind, key, value)
        return value

    def write_record(self, kind: str, key: Mapping[str, str], value: JSON) -> None:
        """As that of `Store`."""
        super().write_record(kind, key, value)
        self._note(kind, key, value)

    def _note(self, kind: str, key: Mapping[str, str], value: JSON) -> None:
        self.records[kind, tuple(sorted(key.items()))] = value

    def noted(self) -> tuple[Record, ...]:
        """All records."""
        return tuple(Record(kind, key, value) for (kind, key), value in self.records.items())

    def parcels(self, known: set[str]) -> tuple[Parcel, ...]:
        """All files but those that are *known*, by SHA-256."""
        new = {sha256: path for sha256, path in self.files.items() if sha256 not in known}
        return tuple(packed(path, sha256, _beside(path)) for sha256, path in new.items())


def _beside(path: Path) -> list[Path]:
    """Data files of a model that has a folder of its own."""
    if path.stem != "model":
        return []
    return sorted(each for each in path.parent.rglob("*") if each.is_file() and each != path)
