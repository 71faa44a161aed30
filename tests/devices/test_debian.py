"""Packages are fetched with what they need, checked, and unpacked, without root rights."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_edgebudget.devices.debian import Archive, data_folder, fetch_packages, unpack
from pytest_edgebudget.errors import EdgeBudgetError

pytestmark = pytest.mark.skipif(
    not (shutil.which("apt-get") and shutil.which("dpkg-deb")),
    reason="apt and dpkg are not installed: apt install apt dpkg",
)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive of two packages on this disk: "shader" needs "loader"."""
    mirror = tmp_path / "mirror"
    index = mirror / "dists/mine/main/binary-arm64"
    index.mkdir(parents=True)
    stanzas = [_package(mirror, "shader", "loader"), _package(mirror, "loader", "")]
    (index / "Packages").write_text("\n".join(stanzas))
    digest = hashlib.sha256((index / "Packages").read_bytes()).hexdigest()
    size = (index / "Packages").stat().st_size
    (mirror / "dists/mine/Release").write_text(
        "Suite: mine\nArchitectures: arm64\nComponents: main\n"
        f"SHA256:\n {digest} {size} main/binary-arm64/Packages\n"
    )
    return Archive(mirror=f"copy:{mirror}", suite="mine", keyring=None)


def _package(mirror: Path, name: str, needs: str) -> str:
    root = mirror / "build" / name
    (root / "DEBIAN").mkdir(parents=True)
    (root / "usr/lib").mkdir(parents=True)
    (root / "usr/lib" / f"{name}.so").write_text(name)
    fields = f"Package: {name}\nVersion: 1.0\nArchitecture: arm64\nMaintainer: nobody <no@body>\n"
    fields += f"Depends: {needs}\n" if needs else ""
    (root / "DEBIAN/control").write_text(f"{fields}Description: a test\n")
    file = mirror / f"{name}_1.0_arm64.deb"
    subprocess.run(["dpkg-deb", "--build", root, file], check=True, capture_output=True)
    content = file.read_bytes()
    return (
        f"{fields}Filename: {file.name}\nSize: {len(content)}\n"
        f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
    )


def test_packages_come_with_what_they_need_or_alone(tmp_path: Path, archive: Archive) -> None:
    alone = fetch_packages(["shader"], "arm64", tmp_path / "a", archive=archive, needed=False)
    assert [path.name for path in alone] == ["shader_1.0_arm64.deb"]
    both = fetch_packages(["shader"], "arm64", tmp_path / "b", archive=archive)
    assert sorted(path.name for path in both) == ["loader_1.0_arm64.deb", "shader_1.0_arm64.deb"]
    assert all(path.is_file() for path in (*alone, *both))
    unpack(alone[0], tmp_path / "root")
    assert (tmp_path / "root/usr/lib/shader.so").read_text() == "shader"


def test_a_package_that_is_not_what_the_archive_says_is_refused(
    tmp_path: Path, archive: Archive
) -> None:
    package = tmp_path / "mirror/shader_1.0_arm64.deb"
    package.write_bytes(package.read_bytes()[:-1] + b"?")
    with pytest.raises(EdgeBudgetError) as caught:
        fetch_packages(["shader"], "arm64", tmp_path / "a", archive=archive, needed=False)
    assert "apt-get download shader (arm64) ended with status 100" in caught.value.message
    assert "mismatch" in caught.value.hint


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(keyring=tmp_path / "keys.gpg")
    with pytest.raises(EdgeBudgetError, match=r"keys\.gpg is not there"):
        fetch_packages(["shader"], "arm64", tmp_path, archive=archive)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EdgeBudgetError, match="apt-get is not installed"):
        fetch_packages(["shader"], "arm64", tmp_path, archive=Archive(keyring=None))


def test_the_data_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EDGEBUDGET_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_folder() == tmp_path / "edgebudget"
    monkeypatch.setenv("EDGEBUDGET_DATA", str(tmp_path / "x"))
    assert data_folder() == tmp_path / "x"
