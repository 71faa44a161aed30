"""The build of a runtime's kernels that a device's CPU tells."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_edgebudget.types import Profile

_BUILDS: Mapping[str, str] = {
    **dict.fromkeys(("M0", "M0+", "M1", "M3", "M23"), "plain"),
    **dict.fromkeys(("M4", "M7", "M33", "M35P"), "dsp"),
    **dict.fromkeys(("M52", "M55", "M85"), "mve"),
}
"""
What CMSIS-NN is compiled to on each Cortex (its README, and Arm's processor pages).

The DSP instructions of Cortex-M33 and M35P and the vectors of M52, M55 and M85
are options of the chip's maker, here taken as present.
"""


def kernels_of(profile: Profile) -> str:
    """
    The kernels of *profile* as `graph.memory.plan` takes them.

    "cmsis-nn" becomes "cmsis-nn-plain", "-dsp" or "-mve" on a CPU that is known.
    """
    build = _BUILDS.get(profile.cpu.removeprefix("Cortex-"))
    return (
        f"{profile.kernels}-{build}" if profile.kernels == "cmsis-nn" and build else profile.kernels
    )
