"""What is told of a broken limit beside its verdict: what changed, and what would fix it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_edgebudget.against.pasts import Pasts
from pytest_edgebudget.devices import Device
from pytest_edgebudget.fit import Fit
from pytest_edgebudget.lock import LockEntry
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.report.base import ChangedRow, FixRow
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Budget, Outcome, Verdict

if TYPE_CHECKING:
    from pytest_edgebudget.changes.limits import Earlier
    from pytest_edgebudget.lint.result import FileResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """
    Tells of one model's broken limits.

    *entry* is the lock's; *linted* asks the linter about the artifact.
    """

    budget: Budget
    fit: Fit
    device: Device
    entry: LockEntry | None
    past: Pasts
    passes: Mapping[str, Pass]
    store: Store
    root: Path
    linted: Callable[[], FileResult]

    def told(
        self, verdict: Verdict, metric: Metric
    ) -> tuple[ChangedRow | None, tuple[FixRow, ...]]:
        """What changed, and what would fix it; nothing of a limit that is not broken."""
        if verdict.outcome is not Outcome.BROKEN:
            return None, ()
        from pytest_edgebudget.changes.limits import Broken, calibrated, told

        off = self.budget.lint.level == "off"
        return told(
            Broken(
                verdict=verdict,
                metric=metric,
                fit=self.fit,
                device=self.device,
                passes=self.passes,
                calibrated=calibrated(self.fit.model, self.root, self.store),
                findings=() if off else self.linted().found,
                earlier=self._earlier(verdict),
            )
        )

    def _earlier(self, verdict: Verdict) -> Earlier | None:
        """What the artifact is compared with: the bound's own past, or the lock."""
        from pytest_edgebudget.changes.limits import Earlier, broken_kind, locked_artifact

        kind, now = broken_kind(verdict), self.fit.artifact
        past = self.past.artifact(verdict.limit, kind, self.budget, self.fit, self.device)
        if past is not None:
            return None if past[1] == now.path else Earlier(*past)
        return locked_artifact(self.entry, now, self.store)
