"""
How far estimates are from what was published, for network families left out of the fit.

    python benchmarks/estimates.py FOLDER [DOMAIN ...]

FOLDER (or EDGEBUDGET_REFERENCE) has latency.csv and features.csv. A family is left
out on all devices of a domain at once. Beside the fit: MACs over one throughput,
a log-log regression on MACs, and non-negative least squares of relative error on
all features, each of one group; the latter again with weights shared by the pool and
one scale a group; and the geometric mean of these two. MAPE is averaged over the models
of a group, then over groups; groups of one family cannot be validated so, and are not
in the table.

Then each device is left out in turn, as if nothing had been published of it: how far
estimates are for it, from other devices with its core, and from runtimes that are not kin.
"""

from __future__ import annotations

import collections
import math
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pytest_edgebudget.estimate.features import FEATURES
from pytest_edgebudget.estimate.plain import shared_weights, weights
from pytest_edgebudget.estimate.pools import DOMAINS, PRIORS
from pytest_edgebudget.estimate.refit import power_key, watts
from pytest_edgebudget.estimate.rows import joined, of_domain
from pytest_edgebudget.estimate.samples import Sample
from pytest_edgebudget.estimate.validate import (
    Error,
    coverage,
    half_width,
    leave_devices_out,
    leave_families_out,
    offsets,
    quantile,
)

Predict = Callable[[Sample], float]


def macs(sample: Sample) -> float:
    """Multiply-accumulates of the model."""
    costs = dict(zip(FEATURES, PRIORS_OF[sample.pool], strict=True))
    values = zip(FEATURES, sample.x, strict=True)
    return sum(v / costs[name] for name, v in values if name.endswith("_macs")) + 1


PRIORS_OF = {pool: PRIORS[domain].costs for domain, pools in DOMAINS.items() for pool in pools}


def throughput(rest: Sequence[Sample]) -> Predict:
    """One rate: the median."""
    rate = statistics.median(s.milliseconds / macs(s) for s in rest)
    return lambda sample: rate * macs(sample)


def log_log(rest: Sequence[Sample]) -> Predict:
    """A power of MACs; a rate where there is one size only."""
    x = np.log([macs(s) for s in rest])
    if np.ptp(x) < 0.1:
        return throughput(rest)
    slope, start = np.polyfit(x, np.log([s.milliseconds for s in rest]), 1)
    return lambda sample: math.exp(start + slope * math.log(macs(sample)))


def least_squares(rest: Sequence[Sample]) -> Predict:
    """Non-negative least squares of relative error."""
    w = weights(np.array([s.x for s in rest]) / np.array([[s.milliseconds] for s in rest]))
    return lambda sample: max(float(np.array(sample.x) @ w), 1e-6)


def pooled(rest: Sequence[Sample]) -> Predict:
    """The same with weights of a pool and one scale a group, found in turns."""
    w, scales = shared_weights(rest)
    return lambda sample: max(scales[sample.row["group"]] * float(np.array(sample.x) @ w), 1e-6)


def by_pool(samples: Sequence[Sample], make: Callable[[Sequence[Sample]], Predict]) -> list[Error]:
    """The errors of a fit of each pool, by families left out; groups of one family are not in."""
    errors = []
    for pool in {s.pool for s in samples}:
        own = [s for s in samples if s.pool == pool]
        for family in {s.family for s in own}:
            rest = [s for s in own if s.family != family]
            known = {s.row["group"] for s in rest}
            left = [s for s in own if s.family == family and s.row["group"] in known]
            if left:
                predict = make(rest)
                errors += [Error(s, math.log(predict(s) / s.milliseconds)) for s in left]
    return errors


def middle(one: Sequence[Error], other: Sequence[Error]) -> list[Error]:
    """The geometric mean of two fits."""
    theirs = {id(error.sample): error.ratio for error in other}
    return [Error(e.sample, (e.ratio + theirs[id(e.sample)]) / 2) for e in one]


def by_group(samples: Sequence[Sample], make: Callable[[Sequence[Sample]], Predict]) -> list[Error]:
    """The errors of a fit of each group alone, by families left out."""
    errors = []
    groups = collections.defaultdict(list)
    for sample in samples:
        groups[sample.row["group"]].append(sample)
    for members in groups.values():
        for family in {m.family for m in members}:
            rest = [m for m in members if m.family != family]
            if not rest:
                continue
            predict = make(rest)
            errors += [
                Error(m, math.log(predict(m) / m.milliseconds))
                for m in members
                if m.family == family
            ]
    return errors


def group_errors(errors: Sequence[Error]) -> dict[str, tuple[float, int]]:
    """MAPE of each group over its models, and how many families it has."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    families = collections.defaultdict(set)
    for error in errors:
        row = error.sample.row
        found[row["group"]][row["model"]].append(error.relative)
        families[row["group"]].add(error.sample.family)
    return {
        group: (statistics.fmean(map(statistics.fmean, models.values())), len(families[group]))
        for group, models in found.items()
    }


def mape(errors: Sequence[Error]) -> str:
    """MAPE with groups alike, and the median error, in percent."""
    whole = statistics.fmean(value for value, _ in group_errors(errors).values())
    return f"{100 * whole:6.1f} / {100 * statistics.median(e.relative for e in errors):5.1f}"


def line(pool: str, errors: Sequence[Error], others: Sequence[Sequence[Error]]) -> str:
    """One pool of the table."""
    near = statistics.fmean(e.relative <= 0.15 for e in errors)
    ours, plain = group_errors(errors), group_errors(others[0])
    many = [group for group, (_, families) in ours.items() if families >= 4]
    worse = sum(ours[group][0] > plain[group][0] for group in many)
    width = math.exp(2 * half_width(errors))
    cells = [
        f"{len(ours)}",
        f"{len(errors)}",
        mape(errors),
        f"{100 * near:.0f}",
        *(mape(other) for other in others),
        f"{worse} of {len(many)}",
        f"{100 * coverage(errors):.0f}",
        f"{width:.2f}",
    ]
    return f"| {pool} | " + " | ".join(cells) + " |"


def powers(samples: Sequence[Sample]) -> dict[int, float]:
    """
    Logarithm of estimated over published power of each row with energy, by position.

    The median of the other families on the same board, runtime and version.
    """
    rows = [(i, s) for i, s in enumerate(samples) if s.row["energy_uj"]]
    found = {}
    for i, sample in rows:
        others = [
            watts(other.row)
            for _, other in rows
            if power_key(other.row) == power_key(sample.row) and other.family != sample.family
        ]
        if others:
            found[i] = math.log(statistics.median(others) / watts(sample.row))
    return found


def energy(samples: Sequence[Sample], errors: Sequence[Error]) -> str:
    """The errors of energy: given the measured time, and end to end."""
    known = powers(samples)
    times = {id(error.sample): error.ratio for error in errors}
    given = [abs(math.expm1(ratio)) for ratio in known.values()]
    whole = [
        abs(math.expm1(ratio + times[id(samples[i])]))
        for i, ratio in known.items()
        if id(samples[i]) in times
    ]
    return (
        f"energy, {len(given)} rows: median error {100 * statistics.median(given):.1f} % given the "
        f"measured time, {100 * statistics.median(whole):.1f} % end to end ({len(whole)} rows)"
    )


HEAD = """| pool | groups | rows | estimate | within 15 % | MACs | log-log | \
least squares of a group | of a pool | mean of both | \
groups of 4 families and more worse than MACs | band covers | high/low |
|---|---|---|---|---|---|---|---|---|---|---|---|---|"""


def elsewhere(samples: Sequence[Sample], domain: str, unseen: Sequence[Error]) -> list[str]:
    """Lines on devices that were left out; the band is made without them, too."""
    lines = []
    for kind, errors in leave_devices_out(samples, domain).items():
        for pool in DOMAINS[domain]:
            own = [error for error in errors if error.sample.pool == pool]
            devices = {error.sample.row["device"] for error in own}
            families = [error for error in unseen if error.sample.pool == pool]
            if len(devices) < 3 or not families:
                continue
            inside = 0
            for device in devices:
                others = [e for e in own if e.sample.row["device"] != device]
                width = math.hypot(quantile(offsets(others)), half_width(families))
                mine = [e for e in own if e.sample.row["device"] == device]
                inside += sum(abs(error.ratio) <= width for error in mine)
            whole = math.hypot(quantile(offsets(own)), half_width(families))
            lines.append(
                f"| {pool} | {kind} | {len(devices)} | {len(own)} | "
                f"{100 * statistics.median(e.relative for e in own):.0f} | "
                f"{100 * inside / len(own):.0f} | {math.exp(2 * whole):.2f} |"
            )
    return lines


ELSEWHERE = """
| devices left out, pool | core known by | devices | rows | median error | band covers | high/low |
|---|---|---|---|---|---|---|"""


def main(arguments: Sequence[str]) -> str:
    """Print the table; a sentence where there are no data."""
    folder = arguments[0] if arguments else os.environ.get("EDGEBUDGET_REFERENCE", "")
    if not folder or not (Path(folder) / "latency.csv").is_file():
        return "no published rows: name the folder of latency.csv, or set EDGEBUDGET_REFERENCE"
    rows = joined(Path(folder))
    print(HEAD)
    energies: list[str] = []
    apart: list[str] = []
    for domain in arguments[1:] or DOMAINS:
        samples = [Sample(*row) for row in of_domain(rows, DOMAINS[domain])]
        errors = leave_families_out(samples, domain)
        apart += elsewhere(samples, domain, errors)
        last = [energy(samples, errors)] if domain == "mcu" else []
        others = [by_group(samples, make) for make in (throughput, log_log, least_squares)]
        others.append(by_pool(samples, pooled))
        others.append(middle(others[2], others[3]))
        for pool in DOMAINS[domain]:
            ours = [e for e in errors if e.sample.pool == pool]
            if ours:
                theirs = [[e for e in other if e.sample.pool == pool] for other in others]
                print(line(pool, ours, theirs), flush=True)
        energies += last
    ending = "MAPE / median error in %. The band is of 80 %, from the errors of other families."
    return "\n".join([ending, *energies, ELSEWHERE, *apart])


if __name__ == "__main__":
    print(main(sys.argv[1:]))
