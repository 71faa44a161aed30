"""Which layers a worse limit is about, where both artifacts are in the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_edgebudget.changes.limits import Earlier, changed
from pytest_edgebudget.changes.split import Setting
from pytest_edgebudget.compare.changes import Change
from pytest_edgebudget.devices.profile import profile_named, profiles
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.report.base import ChangedRow, Run
from pytest_edgebudget.store import Store

SUFFIXES = (".tflite", ".onnx")
FIRST = "the first run"


@dataclass(frozen=True, slots=True)
class Layers:
    """Two runs whose artifacts may be in *store*."""

    before: Run
    after: Run
    store: Store

    def told(self, changes: Sequence[Change]) -> Iterator[Change]:
        """The same changes; those to the worse with the layers that they come from."""
        for change in changes:
            worse = change.verdict == "worse" and change.better == "lower"
            yield replace(change, layers=self._of(change)) if worse else change

    def _of(self, change: Change) -> ChangedRow | None:
        hashes = [_hash(run, change) for run in (self.before, self.after)]
        if not all(hashes) or hashes[0] == hashes[1]:
            return None
        paths = [self._file(sha256) for sha256 in hashes]
        missing = [sha[:12] for sha, path in zip(hashes, paths, strict=True) if path is None]
        if paths[1] is None or paths[0] is None:
            reason = f"the cache of this machine has no artifact {' and '.join(missing)}"
            return ChangedRow(since=FIRST, reason=reason)
        setting = self._setting(change.file, paths[1].suffix.removeprefix("."))
        row, _ = changed(Earlier(FIRST, paths[0]), paths[1], change.metric, setting)
        return row

    def _file(self, sha256: str) -> Path | None:
        found = (self.store.file(sha256, suffix) for suffix in SUFFIXES)
        return next((path for path in found if path is not None), None)

    def _setting(self, file: str, fmt: str) -> Setting | None:
        """What ran the second run's models; None for a profile that comes with no package."""
        row = next((each for each in self.after.files if each.file == file), None)
        if row is None or row.profile not in profiles():
            return None
        names = (name for name in row.runtimes if name in RUNTIMES)
        runtime = next((name for name in names if fmt in RUNTIMES[name].formats), None)
        if runtime is None:
            return None
        return Setting(profile=profile_named(row.profile), runtime=runtime, threads=row.threads)


def _hash(run: Run, change: Change) -> str:
    model = run.model(change.file, change.model)
    return model.sha256 if model else ""
