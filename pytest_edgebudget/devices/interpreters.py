"""Python interpreters on this machine, and what is installed in them."""

from __future__ import annotations

import functools
import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

from pytest_edgebudget.errors import DeviceError, EdgeBudgetError
from pytest_edgebudget.worker.machine import cpu_model, read_cpuinfo

# Not -I: libraries in the user's own site-packages are installed, too.
ISOLATED = ("-E", "-B")


def find_python(python: str) -> str:
    """The program that *python* names; raises EdgeBudgetError where there is none."""
    # No resolving of links: an interpreter in a venv is known by its place.
    found = shutil.which(str(Path(python).expanduser()))
    if found is None:
        raise EdgeBudgetError(
            f"python = {python!r}: there is no such program",
            "name the interpreter of an environment that has numpy and the runtime",
        )
    return found


@functools.cache
def installed(distribution: str, python: str) -> str:
    """The version of a distribution in *python*; empty when not installed there."""
    if python == sys.executable:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            return ""
    code = (
        "import importlib.metadata as m, sys\n"
        "try: print(m.version(sys.argv[1]))\n"
        "except m.PackageNotFoundError: pass"
    )
    try:
        child = subprocess.run(
            [python, *ISOLATED, "-c", code, distribution],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise DeviceError(f"{python} cannot be asked for its {distribution}: {error}") from error
    return child.stdout.strip()


@functools.cache
def cpu() -> str:
    """The name of this machine's CPU."""
    return cpu_model(read_cpuinfo())
