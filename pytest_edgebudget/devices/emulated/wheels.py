"""Runtimes for ARM: the wheels of PyPI, by pip as the user has set it up, unpacked as they are."""

from __future__ import annotations

import functools
import importlib.metadata
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_edgebudget.devices.emulated.parts import Parts, sha256_of
from pytest_edgebudget.devices.emulated.root import PYTHON
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import EdgeBudgetError

PATIENCE = 1800.0  # seconds for a download
TAIL = 4  # lines of what pip said
MACHINES = {"arm64": "aarch64", "armhf": "armv7l"}
_GLIBC = range(17, 37)
"""Minor versions that Debian 12's glibc 2.36 is as good as."""
_OLD_NUMPY = ("tflite-runtime",)
"""Runtimes whose wheels were built against numpy 1."""


def needs(runtime: str, arch: str) -> tuple[str, ...]:
    """The distributions that a runtime needs as wheels."""
    own = RUNTIMES[runtime].distribution
    return (own,) if arch == "armhf" else (own, "numpy")


def suits(runtime: str, distribution: str, version: str) -> bool:
    """Whether a version of a distribution goes with a runtime."""
    return not (distribution == "numpy" and runtime in _OLD_NUMPY and _order(version) >= (2,))


def wheel_part(parts: Parts, runtime: str, distribution: str, arch: str) -> str:
    """
    The part to be used, "" where there is none: this machine's version, else the newest.

    With the same version here and there, answers differ by their kernels alone.
    """
    versions = [
        it for it in _versions(parts, distribution, arch) if suits(runtime, distribution, it)
    ]
    here = _here(distribution)
    if not versions:
        return ""
    return _name(distribution, here if here in versions else max(versions, key=_order), arch)


def version_in(part: str, distribution: str, arch: str) -> str:
    """The version in the name of a part."""
    return part.removeprefix(f"{distribution}-").removesuffix(f"-{arch}")


def install_wheel(
    parts: Parts, runtime: str, distribution: str, arch: str, say: Callable[[str], None]
) -> str:
    """
    Fetch and unpack a distribution; returns its part. Does nothing where it is done.

    It is this machine's version where PyPI has it for ARM, else the newest
    that suits. Raises EdgeBudgetError where there is none.
    """
    wanted = _here(distribution)
    if wanted and suits(runtime, distribution, wanted):
        name = _name(distribution, wanted, arch)
        if parts.has(name):
            return name
        try:
            return _install(parts, f"{distribution}=={wanted}", distribution, arch, say)
        except EdgeBudgetError as error:
            say(f"{distribution} {wanted}, as it is here, is not to be had: {error.message}")
    old = distribution == "numpy" and runtime in _OLD_NUMPY
    if found := wheel_part(parts, runtime, distribution, arch):
        return found
    return _install(parts, f"{distribution}<2" if old else distribution, distribution, arch, say)


def _install(
    parts: Parts, requirement: str, distribution: str, arch: str, say: Callable[[str], None]
) -> str:
    say(f"fetching {requirement} for {arch}")
    place = parts.downloads / re.sub(r"[^a-z0-9.]+", "-", f"wheel-{arch}-{requirement}")
    wheel = _fetch(requirement, arch, place)
    version = wheel.name.split("-")[1]
    name = _name(distribution, version, arch)

    def fill(folder: Path) -> Mapping[str, str]:
        with zipfile.ZipFile(wheel) as file:
            file.extractall(folder)
        return {wheel.name: sha256_of(wheel)}

    parts.make(name, fill)
    shutil.rmtree(place, ignore_errors=True)
    return name


def _fetch(requirement: str, arch: str, folder: Path) -> Path:
    """
    The wheel, with pip's own settings: its indexes, mirrors and certificates.

    pip checks it against the hash that the index tells.
    """
    folder.mkdir(parents=True, exist_ok=True)
    platforms = [f"manylinux_2_{minor}_{MACHINES[arch]}" for minor in reversed(_GLIBC)]
    platforms.append(f"manylinux2014_{MACHINES[arch]}")
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"),
        *("--disable-pip-version-check", "--no-input", "--implementation", "cp"),
        *("--python-version", PYTHON, "--abi", "cp" + PYTHON.replace(".", "")),
        *("--abi", "abi3", "--abi", "none", "--dest", str(folder)),
        *(word for platform in platforms for word in ("--platform", platform)),
        requirement,
    ]
    _run(command, f"fetching {requirement} for {arch}")
    found = list(folder.glob("*.whl"))
    if not found:
        raise EdgeBudgetError(f"pip brought no wheel for {requirement}")
    return max(found, key=lambda it: _order(it.name.split("-")[1]))


def _run(command: list[str], doing: str) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EdgeBudgetError(f"{doing} failed: {error}") from error
    if "No module named pip" in done.stderr:
        raise EdgeBudgetError(
            f"{doing} needs pip, which {sys.executable} does not have",
            f"{sys.executable} -m ensurepip",
        )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()][-TAIL:]
        raise EdgeBudgetError(f"{doing} failed", "\n  ".join(said))


def _name(distribution: str, version: str, arch: str) -> str:
    return f"{distribution}-{version}-{arch}"


def _versions(parts: Parts, distribution: str, arch: str) -> list[str]:
    pattern = re.compile(rf"{re.escape(distribution)}-(\d[^-]*)-{arch}")
    return [match[1] for name in parts.names() if (match := pattern.fullmatch(name))]


@functools.cache
def _here(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
