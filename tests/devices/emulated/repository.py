"""A mirror of Debian and a folder of wheels on this disk: as small as they can be."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_edgebudget.devices.debian import Archive
from pytest_edgebudget.devices.emulated.root import PACKAGES

NAMES = ("ai-edge-litert", "numpy", "onnxruntime", "tflite-runtime")


def archive(folder: Path, arch: str = "arm64", names: Sequence[str] = ()) -> Archive:
    """An archive that has the packages of a root folder, or others, with a file or two in each."""
    index = folder / f"dists/mine/main/binary-{arch}"
    index.mkdir(parents=True)
    stanzas = [_package(folder, name, arch) for name in names or PACKAGES[arch]]
    (index / "Packages").write_text("\n".join(stanzas))
    listed = (index / "Packages").read_bytes()
    (folder / "dists/mine/Release").write_text(
        f"Suite: mine\nArchitectures: {arch}\nComponents: main\n"
        f"SHA256:\n {hashlib.sha256(listed).hexdigest()} {len(listed)} main/binary-{arch}/Packages\n"
    )
    return Archive(mirror=f"copy:{folder}", suite="mine", keyring=None)


def _package(folder: Path, name: str, arch: str) -> str:
    root = folder / "build" / name
    (root / "DEBIAN").mkdir(parents=True)
    files = {f"usr/lib/{name}.so": name, f"usr/share/man/{name}.1": "how to"}
    if name == "qemu-user":
        files |= {"usr/bin/qemu-aarch64": "ours", "usr/bin/qemu-hppa": "no board's"}
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    fields = f"Package: {name}\nVersion: 1.0\nArchitecture: {arch}\nMaintainer: nobody <no@body>\n"
    (root / "DEBIAN/control").write_text(f"{fields}Description: a test\n")
    file = folder / f"{name}_1.0_{arch}.deb"
    subprocess.run(["dpkg-deb", "--build", root, file], check=True, capture_output=True)
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return f"{fields}Filename: {file.name}\nSize: {len(content)}\nSHA256: {digest}\n"


def wheels(folder: Path, versions: Mapping[str, str]) -> None:
    """Wheels for 64-bit ARM: each has one module and nothing in it."""
    folder.mkdir()
    for name, version in versions.items():
        wheel(folder, name, version)


def wheel(folder: Path, name: str, version: str) -> None:
    """One wheel."""
    module = name.replace("-", "_")
    tag = "cp311-cp311-manylinux_2_17_aarch64"
    info = f"{module}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{module}-{version}-{tag}.whl", "w") as file:
        file.writestr(f"{module}/__init__.py", "")
        file.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        file.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        file.writestr(f"{info}/RECORD", "")
