"""
The TOSA reference model: an Ethos-U's arithmetic by its definition.

Its tools need older libraries than ours, so that they have an environment of
their own, which ``edgebudget devices install ethos-u55-128`` makes (360 MB).
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_edgebudget.devices.accelerated import environments
from pytest_edgebudget.devices.interpreters import installed
from pytest_edgebudget.devices.runtimes import RUNTIMES

RUNTIME = "tosa"
BESIDE = ("tosa-converter-for-tflite", "tflite")
"""What the runtime needs beside its own distribution: a converter, and the format's schema."""


def python_of(chosen: str | None) -> str:
    """The Python that has it: the *chosen* one, else ours, else that of its environment."""
    return environments.python_of(_distribution(), chosen)


def is_installed(chosen: str | None) -> bool:
    """Whether that Python has it."""
    return bool(installed(_distribution(), python_of(chosen)))


def install_tosa(say: Callable[[str], None]) -> str:
    """
    Make the environment, unless it is there; a sentence about what was done.

    Raises EdgeBudgetError where it cannot be made.
    """
    return environments.install(_distribution(), say, BESIDE)


def uninstall_tosa() -> str:
    """Remove the environment, where there is one; a sentence about it."""
    environments.uninstall(_distribution())
    return "the TOSA reference model is gone"


def _distribution() -> str:
    return RUNTIMES[RUNTIME].distribution
