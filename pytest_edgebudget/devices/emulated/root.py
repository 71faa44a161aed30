"""The root folder of an ARM Linux: Python and what runtimes link with, from Debian's packages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_edgebudget.devices.debian import BOOKWORM, Archive, fetch_packages, unpack
from pytest_edgebudget.devices.emulated.parts import Parts, sha256_of

PYTHON = "3.11"
"""Of Debian 12, for every machine: the same commit runs the same programs everywhere."""
PACKAGES = {
    "arm64": ("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6", "zlib1g"),
    # PyPI has no numpy for 32-bit ARM: it is Debian's.
    "armhf": ("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6", "python3-numpy"),
}
LIBRARIES = {"arm64": "aarch64-linux-gnu", "armhf": "arm-linux-gnueabihf"}
_UNUSED = ("man", "locale", "info", "lintian", "bug")
# What update-alternatives would do, if packages were installed and not only unpacked.
_ALTERNATIVES = {"libblas.so.3": "blas", "liblapack.so.3": "lapack"}


def root_part(arch: str) -> str:
    """The part that is the root folder; another set of packages needs another number."""
    return f"debian-bookworm-{arch}-1"


def install_root(
    parts: Parts, arch: str, say: Callable[[str], None], archive: Archive = BOOKWORM
) -> None:
    """
    Fetch the packages, check them, unpack them; does nothing where it is done.

    Raises EdgeBudgetError where they cannot be had.
    """
    name = root_part(arch)
    if parts.has(name):
        return
    say(f"fetching Python {PYTHON} for {arch} from {archive.place}")
    folder = parts.downloads / name
    packages = fetch_packages(PACKAGES[arch], arch, folder, archive=archive)

    def fill(root: Path) -> Mapping[str, str]:
        say(f"unpacking {len(packages)} packages")
        for package in packages:
            unpack(package, root)
        _finish(root, arch)
        return {package.name: sha256_of(package) for package in packages}

    parts.make(name, fill)
    shutil.rmtree(folder, ignore_errors=True)


def _finish(root: Path, arch: str) -> None:
    """Leave out what no program reads, licences excepted; link the linear algebra."""
    for name in _UNUSED:
        shutil.rmtree(root / "usr/share" / name, ignore_errors=True)
    for path in (root / "usr/share/doc").glob("*/*"):
        if path.name != "copyright" and not path.is_dir():
            path.unlink()
    libraries = root / "usr/lib" / LIBRARIES[arch]
    for name, folder in _ALTERNATIVES.items():
        if (libraries / folder / name).exists():
            (libraries / name).symlink_to(Path(folder) / name)
