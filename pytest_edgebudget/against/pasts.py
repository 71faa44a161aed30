"""Everything that a run compares with: what the command line names, and the limits' anchors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from pytest_edgebudget import verdict as verdicts
from pytest_edgebudget.against.judging import Against
from pytest_edgebudget.against.tree import PREFIX
from pytest_edgebudget.devices import Device
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.fit import Fit
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.report.base import AgainstRow
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Bound, Budget, Limit, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, compared with what was asked *against*, and with the limit's *anchor*."""

    verdict: Verdict
    against: AgainstRow | None = None
    anchor: AgainstRow | None = None


@dataclass(slots=True)
class Pasts:
    """
    The pasts of one run, each checked out on first use.

    *text* is ``git:REF`` of the command line; "" for the lock.
    """

    text: str
    root: Path
    registry: Registry
    store: Callable[[], Store]
    say: Callable[[str], None]
    strict: bool = False
    today: date = field(default_factory=date.today)
    _found: dict[str, Against] = field(default_factory=dict)

    def check(self) -> None:
        """Whether what was asked for is there. Raises `EdgeBudgetError`."""
        if self.text:
            self._of(self.text).check()

    def close(self) -> None:
        """Remove what was checked out."""
        for past in self._found.values():
            past.close()

    def judge(
        self, verdict: Verdict, metric: Metric, budget: Budget, fit: Fit, device: Device
    ) -> Judged:
        """*verdict* with a bound more for each past that it is compared with."""
        limit, rows = verdict.limit, []
        if limit.max_regression is None:
            return Judged(verdict)
        anchor = f"{PREFIX}{limit.anchor}" if limit.anchor else ""
        for text, kind in ((self.text, "max_regression"), (anchor, "anchor")):
            row = None
            if text:
                bound, row = self._bound(text, verdict, metric, budget, fit, device)
                verdict = verdicts.with_bound(
                    verdict, replace(bound, kind=kind), today=self.today, strict=self.strict
                )
            rows.append(row)
        return Judged(verdict, *rows)

    def artifact(
        self, limit: Limit, kind: str, budget: Budget, fit: Fit, device: Device
    ) -> tuple[str, Path] | None:
        """
        The model that a bound of *limit* of that *kind* was compared with: its name, its file.

        None where that was the lock, or the model of then is not there.
        """
        text = f"{PREFIX}{limit.anchor}" if kind == "anchor" else self.text
        return self._of(text).artifact(budget, fit, device) if text else None

    def _bound(
        self, text: str, verdict: Verdict, metric: Metric, budget: Budget, fit: Fit, device: Device
    ) -> tuple[Bound, AgainstRow]:
        past = self._of(text)
        try:
            past.check()
        except EdgeBudgetError as error:  # an anchor: what the command line names was checked
            reason, nan = error.message, float("nan")
            bound = Bound(
                kind="anchor", bound=nan, headroom=nan, outcome=Outcome.UNMEASURED, reason=reason
            )
            return bound, AgainstRow(ref=text, outcome="unmeasured", text=reason)
        return past.bound(verdict, metric, budget, fit, device)

    def _of(self, text: str) -> Against:
        if text not in self._found:
            self._found[text] = Against(
                text=text,
                root=self.root,
                registry=self.registry,
                store=self.store,
                say=self.say,
                today=self.today,
            )
        return self._found[text]
