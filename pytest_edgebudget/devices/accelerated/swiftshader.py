"""
SwiftShader: a GPU in software, as a Vulkan driver.

Browsers of the Chromium family ship it together with a Vulkan loader. Where
none is here, Debian's package of those files is fetched and three of them are
kept. Mesa's llvmpipe will not do: Dawn, through which LiteRT and ONNX Runtime
reach Vulkan, refuses version 22.3 of it for a feature that it lacks.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_edgebudget.devices.debian import data_folder, fetch_packages, unpack
from pytest_edgebudget.errors import EdgeBudgetError

DRIVER, LOADER, MANIFEST = "libvk_swiftshader.so", "libvulkan.so.1", "vk_swiftshader_icd.json"
FILES = (DRIVER, LOADER, MANIFEST)
PACKAGE = "chromium-common"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
BROWSERS = (
    "/usr/lib/chromium",
    "/usr/lib/chromium-browser",
    "/opt/google/chrome",
    "/opt/microsoft/msedge",
    "~/.cache/ms-playwright/chromium*/chrome-linux*",
)
"""Where browsers keep it."""


def folder() -> Path:
    """Where `install` keeps it."""
    return data_folder() / "swiftshader"


def find() -> Path | None:
    """The folder that has all its files: ours first, then those of browsers; None."""
    return next((place for place in _places() if _complete(place)), None)


def _places() -> Iterator[Path]:
    yield folder()
    for pattern in BROWSERS:
        place = Path(pattern).expanduser()
        yield from sorted(Path(place.anchor).glob(str(place.relative_to(place.anchor))))


def _complete(place: Path) -> bool:
    return all((place / name).is_file() for name in FILES)


def environment(place: Path) -> dict[str, str]:
    """
    Environment variables of a process whose Vulkan shall be this one alone.

    The loader's: VK_DRIVER_FILES, before 1.3.207 VK_ICD_FILENAMES. Dawn opens
    the loader by name, so it is found by LD_LIBRARY_PATH; some versions of it
    need XDG_RUNTIME_DIR to be set.
    """
    manifest = str(place / MANIFEST)
    libraries = [str(place), os.environ.get("LD_LIBRARY_PATH", "")]
    return {
        "VK_DRIVER_FILES": manifest,
        "VK_ICD_FILENAMES": manifest,
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, libraries)),
        "XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir(),
    }


@functools.cache
def digest(place: Path) -> str:
    """Which one it is: the beginning of the driver's SHA-256."""
    return hashlib.sha256((place / DRIVER).read_bytes()).hexdigest()[:12]


def install(say: Callable[[str], None]) -> str:
    """
    Fetch it, unless it is there; a sentence about what was done.

    Raises EdgeBudgetError where Debian has none for this machine, and where
    it cannot be fetched.
    """
    from filelock import FileLock

    place = folder()
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_suffix(".lock")):
        if found := find():
            return f"SwiftShader is in {found}"
        say("fetching SwiftShader, 27 MB")
        fetched = place.with_suffix(".fetched")
        (package,) = fetch_packages([PACKAGE], _architecture(), fetched, needed=False)
        _keep(package, place)
        shutil.rmtree(fetched)
    return f"SwiftShader of {package.name.removesuffix('.deb')} is in {place}"


def _architecture() -> str:
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in ARCHITECTURES:
        raise EdgeBudgetError(
            f"Debian has no SwiftShader for {platform.system()} on {machine}",
            "the one of a Chromium browser is used where it is installed",
        )
    return ARCHITECTURES[machine]


def _keep(package: Path, place: Path) -> None:
    """The files alone, all of them or none."""
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        unpack(package, Path(scratch) / "all")
        kept = Path(scratch) / "kept"
        kept.mkdir()
        for name in FILES:
            found = next((Path(scratch) / "all").rglob(name), None)
            if found is None:
                raise EdgeBudgetError(f"{package.name} holds no {name}")
            shutil.copy2(found, kept / name)
        shutil.rmtree(place, ignore_errors=True)
        kept.rename(place)


def uninstall() -> str:
    """Remove what `install` fetched; a sentence about what was done."""
    place = folder()
    there = place.is_dir()
    shutil.rmtree(place.with_suffix(".fetched"), ignore_errors=True)
    shutil.rmtree(place, ignore_errors=True)
    return f"removed {place}" if there else f"there is nothing in {place}"
