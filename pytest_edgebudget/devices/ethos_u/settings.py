"""For which NPU, in which system, Vela compiles."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.types import Key, Profile

DISTRIBUTION = "ethos-u-vela"

CONFIG = "Arm/vela.ini"
"""The configuration that comes with Vela."""

OPTIMISE = ("performance", "size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Vela's options. All are always given: Vela's own defaults come with a warning.

    Attributes:
        accelerator: such as "ethos-u55-128".
        system, memory: sections of the configuration *config*.
        optimise: "performance", or "size" for the least SRAM.
    """

    accelerator: str
    system: str
    memory: str
    config: str = CONFIG
    optimise: str = OPTIMISE[0]

    @property
    def arguments(self) -> list[str]:
        """As Vela's command line takes them."""
        return [
            f"--config={self.config}",
            f"--accelerator-config={self.accelerator}",
            f"--system-config={self.system}",
            f"--memory-mode={self.memory}",
            f"--optimise={self.optimise.capitalize()}",
        ]

    @property
    def key(self) -> Key:
        """Of the system: what must be alike before two readings may be compared."""
        pairs = (("vela_memory", self.memory), ("vela_system", self.system))
        if self.config == CONFIG:
            return pairs
        digest = hashlib.sha256(Path(self.config).read_bytes()).hexdigest()
        return (("vela_config", digest[:12]), *pairs)


def from_facts(facts: Mapping[str, str], optimise: str) -> Settings:
    """The settings of a profile whose facts a pass was given; see `passes.base.Job`."""
    return Settings(
        accelerator=facts["accelerator"],
        system=facts["vela_system"],
        memory=facts["vela_memory"],
        config=facts["vela_config"] or CONFIG,
        optimise=optimise,
    )


def settings_of(profile: Profile, optimise: str = OPTIMISE[0]) -> Settings:
    """The settings that a profile holds; `refusal` says whether it does."""
    return Settings(
        accelerator=profile.accelerator,
        system=profile.vela_system,
        memory=profile.vela_memory,
        config=profile.vela_config or CONFIG,
        optimise=optimise,
    )


def refusal(profile: Profile) -> str:
    """Why Vela cannot compile for a profile; empty where it can."""
    if not profile.accelerator.startswith("ethos-u"):
        return f"{profile.name} has no Ethos-U"
    keys = {"vela_system": profile.vela_system, "vela_memory": profile.vela_memory}
    missing = [name for name, value in keys.items() if not value]
    return f"the profile {profile.name} has no {' and no '.join(missing)}" if missing else ""
