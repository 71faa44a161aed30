"""What each way to run tells about a device: with which evidence, and what is missing for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_edgebudget.devices.base import Device, Lack, Way
from pytest_edgebudget.devices.ways import ADDRESSES, WAYS, way_named
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.estimate.coverage import power_known, times_known
from pytest_edgebudget.facts import EnergyFacts, PlacementFacts, PlanFacts, Timings
from pytest_edgebudget.measure.gather import can_gather, elsewhere
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.types import DeviceChoice, Evidence, Profile

SHOWN = (
    *("accuracy", "bit_identity", "ram", "arena", "flash", "latency", "instructions", "energy"),
    *("cpu_fallback", "npu_cycles", "npu_time", "npu_sram", "luts"),
)
"""Metrics that stand for all that are read of the same facts."""
NOBODY = "nobody tells"
"""Why a metric is not listed at all: nobody looks for the cycles of an NPU that is not there."""
STATIC = "static"
ESTIMATED = (PlacementFacts, PlanFacts)
"""What is computed from tables and plans where the device does not tell it."""
ALWAYS = ("size", "download_size", "parameters", "macs")
"""Metrics of the file itself, exact for every device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """
    What one way to run offers for a profile.

    Attributes:
        run: as a budget file writes it.
        help: what it is.
        evidence: of each metric that can be read.
        refused: why each other one cannot.
        lacks: what is missing on this machine; nothing is when it is empty.
        formats: of models that run there, once nothing is missing.
        open: whether only the board itself can tell: it has an address.
    """

    run: str
    help: str
    evidence: Mapping[str, Evidence]
    refused: Mapping[str, str]
    lacks: tuple[Lack, ...]
    formats: tuple[str, ...] = ()
    open: bool = False

    @property
    def ready(self) -> bool:
        """Whether it works here and now, for models of one format at least."""
        return not self.open and not stops(self.lacks, self.formats)


def stops(lacks: Iterable[Lack], formats: Iterable[str]) -> bool:
    """Whether models of none of *formats* run where that is missing."""
    stopped = [set(lack.formats) for lack in lacks]
    return not all(stopped) or (bool(stopped) and set(formats) <= set.union(*stopped))


def offers(profile: Profile, registry: Registry) -> tuple[Offer, ...]:
    """What the ways that serve *profile* offer; the profile's own way first."""
    names = [*WAYS, *registry.ways]
    ordered = sorted(names, key=lambda name: name != profile.default_run)
    ways = [way_named(name, registry.ways) for name in ordered]
    serving = [way for way in ways if _serves(way, profile)]
    return tuple(_offer(way, profile, registry.metrics) for way in serving)


def _serves(way: Way, profile: Profile) -> bool:
    """Nothing can be left unrun everywhere: that is a way only where there is no other."""
    idle = way.name == STATIC and profile.default_run != STATIC
    # Android can be put on a board: it is not refused, and not offered either.
    strange = way.name == "adb" and profile.cpu != "" and "Android" not in profile.title
    return not idle and not strange and not way.refusal(profile)


def _offer(way: Way, profile: Profile, metrics: Mapping[str, Metric]) -> Offer:
    address = way.name in ADDRESSES
    run = f"{way.name}://" if address else way.name
    choice = DeviceChoice(profile=profile, run=f"{run}device" if address else run)
    shown = [metrics[name] for name in SHOWN if name in metrics]
    try:
        device = way.open(choice)
        refused = {metric.name: _refusal(device, metric) for metric in shown}
        formats = device.formats
        evidence = {
            metric.name: _evidence(device, metric) for metric in shown if not refused[metric.name]
        }
        # Whether a board is complete can be asked of it alone: edgebudget doctor --run.
        lacks = () if address else tuple(way.lacks(choice))
    except EdgeBudgetError as error:
        evidence, refused, formats, lacks = {}, {}, (), (Lack(error.message, error.hint),)
    told = {name: it for name, it in refused.items() if it and it != NOBODY}
    return Offer(
        run=run,
        help=way.help,
        evidence=evidence,
        refused=told,
        lacks=lacks,
        formats=formats,
        open=address,
    )


def _refusal(device: Device, metric: Metric) -> str:
    """Why the metric cannot be read there; empty where it can."""
    choice = device.choice
    if elsewhere(device, metric.needs):
        return NOBODY
    if _by_estimate(device, metric):
        return ""
    if reason := device.refusal(metric.needs):
        return reason
    if metric.name == "arena" and "tflm" not in choice.runtimes:
        return f"{choice.runtimes[0]} has no arena with its default kernels"
    if metric.needs is PlacementFacts and not _accelerated(choice):
        return f"{choice.profile.name} has no accelerator"
    return can_gather(device, metric.needs) and NOBODY


def _accelerated(choice: DeviceChoice) -> bool:
    return bool(choice.profile.accelerator or choice.delegate or choice.provider)


def _by_estimate(device: Device, metric: Metric) -> bool:
    """Whether an estimate stands in for what the device itself does not tell."""
    choice = device.choice
    if metric.needs not in (Timings, EnergyFacts) or not device.refusal(metric.needs):
        return False
    known = times_known if metric.needs is Timings else power_known
    return not choice.beside and known(choice.profile, choice.runtimes[0])


def _evidence(device: Device, metric: Metric) -> Evidence:
    if _by_estimate(device, metric):
        return Evidence.ESTIMATED
    if metric.needs in ESTIMATED and device.source(metric.needs) is None:
        return Evidence.ESTIMATED
    return device.evidence(metric.needs)
