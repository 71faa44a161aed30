"""``edgebudget calibrate --from-published``: the shipped rows of a profile, fitted again."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence

from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.estimate.boards import DEVICES
from pytest_edgebudget.estimate.pools import DOMAINS
from pytest_edgebudget.estimate.refit import TABLE, refit
from pytest_edgebudget.estimate.rows import SHIPPED, joined, of_domain
from pytest_edgebudget.estimate.samples import Sample
from pytest_edgebudget.estimate.table import of_device, shipped
from pytest_edgebudget.estimate.validate import Error, leave_families_out


def from_published(name: str, say: Callable[[str], None]) -> tuple[str, bool]:
    """
    Fit what stands behind a built-in profile again: a report, and whether it equals the shipped.

    All rows of its domain are fitted, as other boards tell of it, too. Minutes.

    Raises:
        EdgeBudgetError: no such profile, or nothing was published of it.
    """
    profile = profile_named(name)
    device = DEVICES.get(profile.name, "")
    groups = of_device(shipped(), [device]) if device else ()
    domains = [domain for domain in DOMAINS if any(group.domain == domain for group in groups)]
    if not domains:
        raise EdgeBudgetError(
            f"{name}: nothing was published of this device",
            f"published: {', '.join(sorted(n for n, known in DEVICES.items() if known))}",
        )
    lines, equal = [f"{profile.title}: {len(groups)} groups of published rows"], True
    for domain in domains:
        same = _same(domain, say)
        equal &= same
        lines.append(f"{domain}: the fit {'equals' if same else 'DIFFERS FROM'} the shipped one")
        lines += _errors(domain, device, say)
    return "\n".join(lines) + "\n", equal


def _same(domain: str, say: Callable[[str], None]) -> bool:
    say(f"{domain}: fitting all rows")
    again = json.loads(refit([domain], bands=False))["domains"][domain]
    before = json.loads(TABLE.read_text(encoding="utf-8"))["domains"][domain]
    return all(again[part] == before[part] for part in ("fits", "groups"))


def _errors(domain: str, device: str, say: Callable[[str], None]) -> list[str]:
    say(f"{domain}: leaving out one family of networks after the other")
    samples = [Sample(*row) for row in of_domain(joined(SHIPPED), DOMAINS[domain])]
    errors = [e for e in leave_families_out(samples, domain) if e.sample.row["device"] == device]
    groups = dict.fromkeys(error.sample.row["group"] for error in errors)
    return [_line(g, [e for e in errors if e.sample.row["group"] == g]) for g in groups]


def _line(group: str, errors: Sequence[Error]) -> str:
    sizes = [error.relative for error in errors]
    return (
        f"  {group}: {len(sizes)} models of families that were left out: median error "
        f"{100 * statistics.median(sizes):.0f} %, mean {100 * statistics.fmean(sizes):.0f} %, "
        f"worst {100 * max(sizes):.0f} %"
    )
