"""Of which devices something was published, whatever the model."""

from __future__ import annotations

from pytest_edgebudget.estimate.boards import DEVICES, published_runtimes
from pytest_edgebudget.estimate.choose import Asked, choose
from pytest_edgebudget.estimate.table import shipped
from pytest_edgebudget.types import Profile

_PRECISIONS = ("int8", "fp32")


def times_known(profile: Profile, runtime: str, threads: int = 1) -> bool:
    """Whether latency there is estimated, in one precision at least."""
    if profile.calibrations:
        return True
    asked = (Asked(profile, runtime, threads, precision) for precision in _PRECISIONS)
    return any(choose(shipped(), each) for each in asked)


def power_known(profile: Profile, runtime: str) -> bool:
    """Whether energy there is estimated: its power was published, beside its times."""
    if any(each.power_domain for each in profile.calibrations):
        return True
    names = published_runtimes(runtime, profile.accelerator)
    powers = (p for p in shipped().powers if p.device == DEVICES.get(profile.name, ""))
    return times_known(profile, runtime) and any(power.runtime in names for power in powers)
