"""The shipped table from the shipped rows: one function, minutes, needs numpy."""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence

from pytest_edgebudget.estimate.features import FEATURES
from pytest_edgebudget.estimate.fit import fit
from pytest_edgebudget.estimate.pools import DOMAINS
from pytest_edgebudget.estimate.rows import SHIPPED, joined, of_domain
from pytest_edgebudget.estimate.samples import Fitted, Sample
from pytest_edgebudget.estimate.validate import (
    Error,
    half_width,
    leave_devices_out,
    leave_families_out,
    offsets,
    quantile,
)

TABLE = SHIPPED / "table.json"
"""What `refit` made."""

Json = dict[str, object]
_FAMILIES = 3
"""A pool with fewer families takes the errors of its whole domain for its band."""
_GROUPS = 4
"""The same for groups of devices that were left out."""


def refit(domains: Sequence[str] = tuple(DOMAINS), *, bands: bool = True) -> str:
    """
    The table as JSON: fits, groups, bands and powers, from ``published/*.csv``.

    *bands*: families are left out one by one for the bands, which takes minutes;
    without, only the fits are made.

    Raises:
        EdgeBudgetError: the rows are damaged.
    """
    rows = joined(SHIPPED)
    table: Json = {"features": list(FEATURES), "powers": _powers([row for row, _, _ in rows])}
    table["domains"] = {
        name: _domain([Sample(*row) for row in of_domain(rows, DOMAINS[name])], name, bands)
        for name in domains
        if of_domain(rows, DOMAINS[name])
    }
    return json.dumps(table, indent=0, ensure_ascii=False) + "\n"


def _domain(samples: Sequence[Sample], name: str, bands: bool) -> Json:
    return {
        "fits": [_fit(fitted) for fitted in fit(samples, name)],
        "groups": _groups(samples),
        "bands": _bands(samples, name) if bands else {},
    }


def _fit(fitted: Fitted) -> Json:
    effects: dict[str, dict[str, list[float]]] = defaultdict(dict)
    for (level, name), values in fitted.effects.items():
        effects[str(level)][name] = [round(value, 3) for value in values]
    base = [round(value, 3) for value in fitted.base]
    return {"base": base, "scale": round(fitted.scale, 3), "effects": effects}


def _groups(samples: Sequence[Sample]) -> Json:
    members: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        members[sample.row["group"]].append(sample)
    keys = ("device", "core", "runtime", "runtime_version", "threads", "precision", "clock_mhz")
    return {
        group: {
            **{key: found[-1].row[key] for key in keys},
            "pool": found[0].pool,
            "models": len({sample.row["model"] for sample in found}),
            "families": len({sample.family for sample in found}),
        }
        for group, found in members.items()
    }


def _bands(samples: Sequence[Sample], domain: str) -> Json:
    errors, elsewhere = leave_families_out(samples, domain), leave_devices_out(samples, domain)
    bands: Json = {}
    for pool in sorted({sample.pool for sample in samples}):
        own = [error for error in errors if error.sample.pool == pool]
        if len({error.sample.family for error in own}) < _FAMILIES:
            own = list(errors)
        macs = [_work(sample) for sample in samples if sample.pool == pool]
        bands[pool] = {
            "half_width": round(half_width(own), 4),
            "median_error": round(statistics.median(error.relative for error in own), 4),
            "elsewhere": {kind: _elsewhere(each, pool) for kind, each in elsewhere.items() if each},
            "rows": len(own),
            "smallest": min(macs),
            "largest": max(macs),
            "seen": [
                name
                for i, name in enumerate(FEATURES)
                if any(sample.x[i] for sample in samples if sample.pool == pool)
            ],
        }
    return bands


def _elsewhere(errors: Sequence[Error], pool: str) -> float:
    own = offsets([error for error in errors if error.sample.pool == pool])
    return round(quantile(own if len(own) >= _GROUPS else offsets(errors)), 4)


def _work(sample: Sample) -> float:
    return round(sum(sample.x), 1)


def _powers(rows: Sequence[Mapping[str, str]]) -> Json:
    """
    Watts of each board under each runtime and version, from rows with energy.

    *spread*: how far (logarithm) the power of one model is from the median.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row["energy_uj"]:
            found[power_key(row)].append(watts(row))
    return {
        key: {
            "watts": round(statistics.median(each), 6),
            "spread": round(max(abs(math.log(w / statistics.median(each))) for w in each), 4),
            "rows": len(each),
        }
        for key, each in sorted(found.items())
    }


def power_key(row: Mapping[str, str]) -> str:
    """What has one power: a board, its runtime and that runtime's version."""
    return "|".join((row["device"], row["runtime"], row["runtime_version"]))


def watts(row: Mapping[str, str]) -> float:
    """Mean power while the row's model ran."""
    return float(row["energy_uj"]) * 1e-3 / float(row["latency_ms"])


if __name__ == "__main__":
    TABLE.write_text(refit(), encoding="utf-8")
