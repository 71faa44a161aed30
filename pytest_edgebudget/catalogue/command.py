"""``edgebudget devices``: what there is, one device, install and uninstall."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from pytest_edgebudget.catalogue.offers import ALWAYS, Offer, offers
from pytest_edgebudget.catalogue.text import details, listing
from pytest_edgebudget.devices import load_profile, profile_named
from pytest_edgebudget.devices.base import Install
from pytest_edgebudget.devices.ways import WAYS, way_named
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.types import Profile
from pytest_edgebudget.wiring import command_line_manager, registry_of

ACTIONS = ("install", "uninstall")


def devices(words: Sequence[str], *, as_json: bool, say: Callable[[str], None]) -> str:
    """
    What the user asked for in *words*: nothing, a NAME, or ``install NAME``.

    Raises EdgeBudgetError for a device that is not known, and for what cannot
    be installed.
    """
    if words and words[0] in ACTIONS:
        return _install(words, say)
    registry = registry_of(command_line_manager())
    found = [profile_named(word) for word in words] or _all(registry)
    rows = [(profile, offers(profile, registry)) for profile in found]
    if as_json:
        return _json(rows)
    if not words:
        return listing(rows)
    from pytest_edgebudget.explain.profiles import profile_text

    return "\n".join(details(profile, each, profile_text(profile)) for profile, each in rows)


def _all(registry: Registry) -> list[Profile]:
    return [load_profile(path) for path in registry.profiles.values()]


def _install(words: Sequence[str], say: Callable[[str], None]) -> str:
    action, names = words[0], words[1:]
    if not names:
        raise EdgeBudgetError(
            f"edgebudget devices {action}: which device?",
            f"edgebudget devices {action} raspberry-pi-4",
        )
    registry = registry_of(command_line_manager())
    lines = []
    for name in names:
        acts = list(_acts(action, profile_named(name), registry))
        if not acts:
            raise EdgeBudgetError(
                f"{name}: there is nothing to {action}", f"see edgebudget devices {name}"
            )
        lines += [act(profile_named(name), say) for act in acts]
    return "\n".join(lines) + "\n"


def _acts(action: str, profile: Profile, registry: Registry) -> Iterator[Install]:
    """What installs, or removes, something for a profile: of all ways that serve it."""
    for name in (*WAYS, *registry.ways):
        way = way_named(name, registry.ways)
        act = way.install if action == "install" else way.uninstall
        if act is not None and not way.refusal(profile):
            yield act


def _json(rows: Iterable[tuple[Profile, Sequence[Offer]]]) -> str:
    found = [
        {
            "name": profile.name,
            "title": profile.title,
            "runtimes": list(profile.runtimes),
            "sources": list(profile.sources),
            "exact": list(ALWAYS),
            "runs": [_run(offer) for offer in each],
        }
        for profile, each in rows
    ]
    return json.dumps({"schema": 1, "devices": found}, indent=2) + "\n"


def _run(offer: Offer) -> dict[str, Any]:
    return {
        "run": offer.run,
        "ready": offer.ready,
        "evidence": {name: it.value for name, it in offer.evidence.items()},
        "refused": dict(offer.refused),
        "lacks": [asdict(lack) for lack in offer.lacks],
    }
