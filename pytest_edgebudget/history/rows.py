"""One reading as the history keeps it, in plain types."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pytest_edgebudget.history.git import GitFacts
from pytest_edgebudget.report.base import LimitRow, ModelRow

NO_NUMBER = None
"""What stands for NaN: databases disagree on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """
    One reading and where it comes from.

    Attributes:
        id: unique; delivering a reading twice keeps it once.
        at: seconds since 1970 by the clock of the machine that ran the gate.
        run: the same for all readings of a run.
        commit_id, branch, dirty: of git; "" and 0 where there is none. *dirty*
            is 1 when tracked files were changed.
        file, model, metric: which limit; *status* is its verdict.
        unit, better: of the metric. *value*, *low*, *high* are in the unit.
        noisy: 1 when another run may read another value.
        evidence, key: under which readings may be compared; *key* is JSON.
        recipe, artifact: what was gated; *artifact* is its SHA-256.
        tool: the version of pytest-edgebudget.
    """

    id: str
    at: float
    run: str
    commit_id: str
    branch: str
    dirty: int
    file: str
    model: str
    metric: str
    unit: str
    better: str
    value: float | None
    low: float | None
    high: float | None
    noisy: int
    evidence: str
    key: str
    recipe: str
    artifact: str
    status: str
    tool: str

    def to_plain(self) -> dict[str, Any]:
        """The columns by name."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> HistoryRow:
        """The reverse of `to_plain`; raises KeyError when a column is missing."""
        return cls(**{name: data[name] for name in COLUMNS})


COLUMNS = tuple(field.name for field in fields(HistoryRow))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What all readings of one run have in common."""

    run: str
    tool: str
    git: GitFacts


def row_of(
    limit: LimitRow, model: ModelRow | None, origin: Origin, *, at: float, identity: str = ""
) -> HistoryRow | None:
    """
    A limit's reading as a row; None where nothing was read.

    *identity* makes the id repeatable, so that a report imported twice counts once.
    """
    reading = limit.after
    if reading is None:
        return None
    made = uuid.uuid5(uuid.NAMESPACE_OID, identity + limit.id) if identity else uuid.uuid4()
    return HistoryRow(
        id=made.hex,
        at=at,
        run=origin.run,
        commit_id=origin.git.commit,
        branch=origin.git.branch,
        dirty=int(origin.git.dirty),
        file=limit.file,
        model=limit.model,
        metric=limit.metric,
        unit=limit.unit,
        better=limit.better,
        value=_number(reading.value),
        low=_number(reading.low),
        high=_number(reading.high),
        noisy=int(reading.noisy),
        evidence=reading.evidence,
        key=json.dumps(reading.key, sort_keys=True),
        recipe=model.recipe if model else "",
        artifact=model.sha256 if model else "",
        status=limit.status,
        tool=origin.tool,
    )


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else NO_NUMBER
