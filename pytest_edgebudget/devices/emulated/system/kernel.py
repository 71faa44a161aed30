"""Debian's kernel for 64-bit ARM, as an installed part."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_edgebudget.devices.debian import BOOKWORM, Archive, fetch_packages, unpack
from pytest_edgebudget.devices.emulated.parts import Parts, sha256_of
from pytest_edgebudget.errors import EdgeBudgetError

PART = "linux-bookworm-arm64-1"
LATEST = "linux-image-cloud-arm64"
"""Needs the image of the day, and holds nothing itself."""


def install_kernel(parts: Parts, say: Callable[[str], None], archive: Archive = BOOKWORM) -> None:
    """Fetch the kernel; does nothing where it is done. Raises EdgeBudgetError where it fails."""
    if parts.has(PART):
        return
    say(f"fetching a kernel for arm64 from {archive.place}")
    folder = parts.downloads / PART
    (latest,) = fetch_packages([LATEST], "arm64", folder, archive=archive, needed=False)
    (image,) = fetch_packages([_image(latest)], "arm64", folder, archive=archive, needed=False)

    def fill(root: Path) -> Mapping[str, str]:
        with tempfile.TemporaryDirectory(dir=folder) as unpacked:
            unpack(image, Path(unpacked))
            kernel = next(Path(unpacked).glob("boot/vmlinuz-*"))
            shutil.move(kernel, root / "vmlinuz")
        return {image.name: sha256_of(image)}

    parts.make(PART, fill)
    shutil.rmtree(folder, ignore_errors=True)


def _image(latest: Path) -> str:
    """The package that *latest* needs."""
    asked = subprocess.run(
        ["dpkg-deb", "--field", str(latest), "Depends"], capture_output=True, text=True, check=False
    )
    found = re.match(r"linux-image-\S+", asked.stdout)
    if found is None:
        raise EdgeBudgetError(f"{latest.name} names no kernel: {asked.stdout or asked.stderr}")
    return found[0]
