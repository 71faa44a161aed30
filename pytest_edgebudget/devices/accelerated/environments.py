"""
Builds of ONNX Runtime that keep an environment of their own.

Each comes as another distribution of the same Python package, so that two do
not fit into one environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_edgebudget.devices.debian import data_folder
from pytest_edgebudget.devices.interpreters import find_python, installed
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.worker.acceleration import MAKE, PROVIDERS

PATIENCE = 1800.0  # seconds for a download
TAIL = 4  # lines of what pip said


def folder(distribution: str) -> Path:
    """Where `install` keeps one."""
    return data_folder() / "environments" / distribution


def python_of(distribution: str, chosen: str | None) -> str:
    """
    The Python that has *distribution*: the *chosen* one, or ours, else that of our environment.

    The chosen one in any case; and ours where it is nowhere.
    """
    if chosen is not None:
        return os.path.abspath(find_python(chosen))  # noqa: PTH100 a venv is known by its place
    own = _program(folder(distribution))
    if not installed(distribution, sys.executable) and own.is_file():
        return str(own)
    return sys.executable


def commands(distribution: str, chosen: str | None) -> str:
    """What brings *distribution*, as a user would type it."""
    builds = [it for it in PROVIDERS.values() if it.distribution == distribution]
    if builds and not any(it.published for it in builds):
        return MAKE
    if chosen is not None:
        return f"{chosen} -m pip install {distribution} numpy"
    place = folder(distribution)
    return (
        f"{sys.executable} -m venv {place} && {_program(place)} -m pip install {distribution} numpy"
    )


def install(distribution: str, say: Callable[[str], None], beside: Sequence[str] = ()) -> str:
    """
    Make the environment, unless it is there; a sentence about what was done.

    *beside*: other distributions that it needs.

    Raises EdgeBudgetError where it cannot be made.
    """
    from filelock import FileLock

    place = folder(distribution)
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_name(f"{place.name}.lock")):
        if (place / "complete").is_file():
            return f"{distribution} is in {place}"
        shutil.rmtree(place, ignore_errors=True)
        say(f"installing {distribution} into {place}")
        _run([sys.executable, "-m", "venv", str(place)], f"making {place}")
        pip = [str(_program(place)), "-m", "pip", "install", "--quiet"]
        _run([*pip, distribution, *beside, "numpy"], f"installing {distribution}")
        (place / "complete").touch()
    return f"{distribution} is in {place}"


def uninstall(distribution: str) -> None:
    """Remove the environment, where there is one."""
    shutil.rmtree(folder(distribution), ignore_errors=True)


def _program(place: Path) -> Path:
    return place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _run(command: list[str], doing: str) -> None:
    # pip must not go on when we were killed, and the next of us comes.
    tied = shutil.which("setpriv")
    try:
        done = subprocess.run(
            [*([tied, "--pdeathsig", "KILL", "--"] if tied else []), *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EdgeBudgetError(f"{doing} failed: {error}") from error
    if done.returncode:
        said = "\n  ".join((done.stderr or done.stdout).splitlines()[-TAIL:])
        raise EdgeBudgetError(f"{doing} ended with status {done.returncode}", said)
