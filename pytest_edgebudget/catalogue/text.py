"""The catalogue in words: a line a device, or one device with everything about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_edgebudget.catalogue.offers import Offer
from pytest_edgebudget.types import Evidence, Profile

RANK = (
    Evidence.MEASURED,
    Evidence.EMULATED,
    Evidence.EXACT,
    Evidence.ESTIMATED,
    Evidence.HOST,
)
"""Which evidence a device is listed with, where several ways tell the same thing."""
BRIEF = ("accuracy", "ram", "latency", "instructions", "energy", "cpu_fallback")


def listing(rows: Sequence[tuple[Profile, Sequence[Offer]]]) -> str:
    """One line a profile: what is read of it here and now, and how to read more."""
    header = ("profile", *BRIEF, "missing here")
    cells = [header, *(_row(profile, offers) for profile, offers in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([*lines, "", *_legend()]) + "\n"


def _row(profile: Profile, offers: Sequence[Offer]) -> tuple[str, ...]:
    found = [best(offers, name) for name in BRIEF]
    missing = [offer.run for offer in offers if not offer.ready and not offer.open]
    return (profile.name, *(it.value if it else "-" for it in found), ", ".join(missing) or "-")


def _legend() -> Iterator[str]:
    yield "Sizes and counts of the file are exact for every device."
    yield "edgebudget devices NAME: its facts with their sources, each way to run, what would bring"
    yield 'more. A board of yours: run = "ssh://user@host", or edgebudget doctor --run ssh://...'


def best(offers: Iterable[Offer], metric: str) -> Evidence | None:
    """The best evidence of *metric* here and now."""
    found = [offer.evidence[metric] for offer in offers if offer.ready and metric in offer.evidence]
    return min(found, key=RANK.index, default=None)


def details(profile: Profile, offers: Sequence[Offer], facts: str) -> str:
    """Everything about one device; *facts* is its profile in words."""
    parts = [facts.rstrip(), *("\n".join(_offer(profile, offer)) for offer in offers)]
    return "\n\n".join(parts) + "\n"


def _offer(profile: Profile, offer: Offer) -> Iterator[str]:
    default = " (the default)" if offer.run == profile.default_run else ""
    yield f'run = "{offer.run}"{default}: {offer.help}'
    state = "ready" if offer.ready else "ask the board: edgebudget doctor --run" * offer.open
    if state:
        yield f"  {state}{f' {offer.run}...' if offer.open else ''}"
    for lack in offer.lacks:
        some = set(lack.formats) < set(offer.formats)
        only = " and ".join(f".{fmt}" for fmt in lack.formats) if some else ""
        yield f"  missing{f' for {only} models' if only else ''}: {lack.what}"
        if lack.command:
            yield f"    {lack.command}"
    for evidence in dict.fromkeys(offer.evidence.values()):
        names = [name for name, it in offer.evidence.items() if it is evidence]
        yield f"  {evidence.value + ':':11}{', '.join(names)}"
    for reason in dict.fromkeys(offer.refused.values()):
        names = [name for name, it in offer.refused.items() if it == reason]
        yield f"  not:       {', '.join(names)} ({reason})"
