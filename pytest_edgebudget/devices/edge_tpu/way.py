"""``run = "edge-tpu"``: what the Edge TPU takes of a model; its answers are this machine's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pytest_edgebudget import graph
from pytest_edgebudget.devices import host
from pytest_edgebudget.devices.base import Fill, Way
from pytest_edgebudget.devices.constraints import table_of
from pytest_edgebudget.devices.edge_tpu.compiler import compile_report, find_compiler
from pytest_edgebudget.devices.edge_tpu.told import (
    is_compiled,
    placement_of_compiled,
    placement_of_report,
)
from pytest_edgebudget.devices.placement_facts import published_placement
from pytest_edgebudget.facts import PlacementFacts
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Profile

ACCELERATOR = "edge-tpu"
EXACTLY = "edgetpu_compiler, where it is installed, tells exactly"


@dataclass(frozen=True, slots=True)
class EdgeTpuDevice(host.HostDevice):
    """The model before it is compiled, on this machine; where it would run, as told."""

    def evidence(self, facts: type) -> Evidence:
        """Exact where the compiler tells what runs where, a stand-in's for all that is run."""
        if facts is PlacementFacts:
            return Evidence.EXACT if find_compiler() else Evidence.ESTIMATED
        return host.HostDevice.evidence(self, facts)

    def source(self, facts: type) -> Callable[[Artifact, Fill], object] | None:
        """What runs where is told by the compiler, or by what Coral publishes."""
        if facts is PlacementFacts:
            return self._placement
        return host.HostDevice.source(self, facts)

    def _placement(self, artifact: Artifact, fill: Fill) -> PlacementFacts:
        del fill
        model, table = graph.read(artifact.path), table_of(ACCELERATOR)
        assert table is not None
        if is_compiled(model):
            return placement_of_compiled(model, table)
        compiler = find_compiler()
        if not compiler or model.format != "tflite":
            found = published_placement(model, self.choice.profile)
            return replace(found, notes=(*found.notes, EXACTLY))
        return placement_of_report(model, table, compile_report(artifact.path, compiler))


def open_edge_tpu(choice: DeviceChoice) -> EdgeTpuDevice:
    """
    The device ``run = "edge-tpu"``.

    Raises EdgeBudgetError for a runtime or a Python that is not there.
    """
    stand_in = host.open_host(choice)
    return EdgeTpuDevice(stand_in.choice, stand_in.limits)


def _refusal(profile: Profile) -> str:
    if profile.accelerator == ACCELERATOR:
        return host.WAY.refusal(profile)
    return f"{profile.name} has no Edge TPU"


WAY = Way(
    name="edge-tpu",
    help="Placed on the Edge TPU by edgetpu_compiler where it is installed, else by what Coral "
    "publishes; run on this machine as a stand-in.",
    open=open_edge_tpu,
    refusal=_refusal,
    lacks=host.WAY.lacks,
)
