"""What a board draws while models run, where it has a sensor."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.facts import EnergyFacts
from pytest_edgebudget.types import AS_IT_IS, Artifact


@dataclass(frozen=True, slots=True)
class Power:
    """Watts above idle, the logarithm of how far one model is from them, and of what."""

    watts: float
    spread: float
    domain: str


def active_power(
    device: Device, models: Sequence[Path], say: Callable[[str], None]
) -> Power | None:
    """The median over *models*; None where no sensor tells, or it sees no difference."""
    gather = device.source(EnergyFacts)
    if gather is None or device.refusal(EnergyFacts):
        return None
    found = []
    domain = ""
    try:
        for number, path in enumerate(models, 1):
            say(f"power, model {number} of {len(models)}")
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            facts = gather(
                Artifact(recipe=AS_IT_IS, path=path, sha256=digest, size=len(content)),
                lambda worker: None,
            )
            assert isinstance(facts, EnergyFacts)
            found.append(facts.watts - fmean(facts.idle))
            domain = facts.domain
    except CannotTell:
        return None
    if not found or min(found) <= 0:
        return None
    middle = median(found)
    return Power(middle, max(abs(math.log(each / middle)) for each in found), domain)
