"""``run = "emulate-gpu"``: a GPU in software runs the GPU paths of both runtimes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_edgebudget.devices.accelerated import environments, swiftshader
from pytest_edgebudget.devices.accelerated.device import AcceleratedDevice, lacks
from pytest_edgebudget.devices.base import Lack, Way
from pytest_edgebudget.errors import DeviceError
from pytest_edgebudget.facts import (
    EnergyFacts,
    InstructionFacts,
    MemoryFacts,
    PlacementFacts,
    Predictions,
    StartupFacts,
    Timings,
)
from pytest_edgebudget.types import DeviceChoice, Evidence, Key, Profile
from pytest_edgebudget.worker.acceleration import GPU, PROVIDERS, Acceleration

WEBGPU = "WebGPU"
ACCELERATOR = "gpu-delegate"
PHYSICAL = {
    Timings: "latency",
    StartupFacts: "cold start",
    InstructionFacts: "an instruction count",
    MemoryFacts: "memory",
    EnergyFacts: "energy",
}


@dataclass(frozen=True, slots=True)
class EmulatedGpu(AcceleratedDevice):
    """
    SwiftShader as the only GPU.

    What is computed, and which operators the GPU path takes, is as on a GPU of
    the same precision; how long it takes is not.
    """

    def evidence(self, facts: type) -> Evidence:
        """The GPU's own programs, run by another program."""
        del facts
        return Evidence.EMULATED

    def refusal(self, facts: type) -> str:
        """Nothing physical."""
        if facts in PHYSICAL:
            return f"needs a GPU: {PHYSICAL[facts]} of an emulated one is not that of a GPU"
        return ""

    def repeats(self, facts: type) -> bool:
        """One program on one CPU: the same at every run."""
        return facts in (Predictions, PlacementFacts)

    def _asked(self, fmt: str) -> Acceleration:
        return replace(AcceleratedDevice._asked(self, fmt), emulated=True)

    def _conditions(self, fmt: str) -> Key:
        gpu = f"SwiftShader {swiftshader.digest(_place())}"
        return (*AcceleratedDevice._conditions(self, fmt), ("gpu", gpu))

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **swiftshader.environment(_place())}


def _place() -> Path:
    place = swiftshader.find()
    if place is None:
        raise DeviceError("SwiftShader, the emulated GPU, is not here", f"run {INSTALL}")
    return place


INSTALL = "edgebudget devices install gpu"


def open_emulated(choice: DeviceChoice) -> EmulatedGpu:
    """The device ``run = "emulate-gpu"``: both runtimes' paths, or the one that was named."""
    if choice.delegate or choice.provider:
        return EmulatedGpu(choice)
    return EmulatedGpu(replace(choice, delegate=GPU, provider=WEBGPU))


def _refusal(profile: Profile) -> str:
    if profile.accelerator == ACCELERATOR:
        return ""
    return f"{profile.name} has no GPU that LiteRT's or WebGPU's programs run on"


def _lacks(choice: DeviceChoice) -> Sequence[Lack]:
    found = lacks(open_emulated(choice).choice)
    own = f"{PROVIDERS[WEBGPU].distribution} is not installed"
    named = [Lack(lack.what, INSTALL) if lack.what == own else lack for lack in found]
    if swiftshader.find() is None:
        named.insert(0, Lack("SwiftShader, the emulated GPU, is not here", INSTALL))
    return named


def _install(profile: Profile, say: Callable[[str], None]) -> str:
    lines = [swiftshader.install(say)]
    if "onnxruntime" in profile.runtimes:
        lines.append(environments.install(PROVIDERS[WEBGPU].distribution, say))
    return "\n".join(lines)


def _uninstall(profile: Profile, say: Callable[[str], None]) -> str:
    del profile, say
    environments.uninstall(PROVIDERS[WEBGPU].distribution)
    return swiftshader.uninstall()


WAY = Way(
    name="emulate-gpu",
    help="On an emulated GPU: SwiftShader runs the GPU paths of LiteRT and ONNX Runtime.",
    open=open_emulated,
    refusal=_refusal,
    lacks=_lacks,
    install=_install,
    uninstall=_uninstall,
)
