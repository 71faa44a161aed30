"""
A limit allows more memory than the device has.

What it finds
    A maximum of ``arena``, ``ram`` or ``activation_plan`` above the profile's largest region of
    RAM, and one of ``size``, ``model_flash`` or ``flash`` above its largest region of flash, of
    a model or of a group. What is contiguous must fit one region: two banks of 128 KiB that do
    not touch hold no arena of 200 KiB.

Why it hurts
    A model that keeps this limit does not link, or its allocation fails at start. The board
    needs part of the memory for the stack, drivers and the rest of the program besides.

Example
    A ``rp2040-tflm`` has 264 KiB of RAM in all::

        arena = "300 KiB"

Instead
    Take what is left of the region when the program without the model is linked.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import Profile, Unit
from pytest_edgebudget.units import format_pair

_REGIONS = {
    "arena": "ram",
    "ram": "ram",
    "activation_plan": "ram",
    "size": "flash",
    "model_flash": "flash",
    "flash": "flash",
}
_WORDS = {"ram": "RAM", "flash": "flash"}


def check(file: BudgetFile) -> Iterator[Finding]:
    """Limits that the device cannot keep."""
    profile = file.budget.device.profile
    for part in file.budget.parts:
        for limit in part.limits:
            kind = _REGIONS.get(limit.metric)
            room = profile.largest(kind) if kind else None
            if kind and room is not None and limit.max is not None and limit.max > room:
                allowed, there = format_pair(limit.max, room, Unit.BYTES)
                what = _what(profile, kind)
                yield at(limit.place, f"{allowed} is more than the {there} of {what}")


def _what(profile: Profile, kind: str) -> str:
    """The memory in words: in one piece, or the largest of several."""
    total = sum(region.size for region in profile.regions if region.kind == kind)
    place = "the largest region of " if total > (profile.largest(kind) or 0) else ""
    return f"{place}{_WORDS[kind]} that {profile.name} has"


RULE = Rule(
    code="EB112",
    name="limit-above-the-device",
    severity=Severity.ERROR,
    needs=BudgetFile,
    check=check,
)
