"""SwiftShader is found, fetched whole or not at all, and removed."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_edgebudget.cli import main
from pytest_edgebudget.devices.accelerated import environments, swiftshader
from pytest_edgebudget.devices.debian import Archive, fetch_packages
from pytest_edgebudget.errors import EdgeBudgetError


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any."""
    monkeypatch.setenv("EDGEBUDGET_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(swiftshader, "BROWSERS", (str(tmp_path / "browsers/*"),))
    return tmp_path / "browsers"


def package(tmp_path: Path, *files: str) -> Archive:
    """An archive whose chromium-common has these files."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        pytest.skip("apt and dpkg are not installed: apt install apt dpkg")
    root, mirror = tmp_path / "build", tmp_path / "mirror"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "usr/lib/chromium").mkdir(parents=True)
    for name in files:
        (root / "usr/lib/chromium" / name).write_text(name)
    fields = "Package: chromium-common\nVersion: 1.0\nArchitecture: amd64\nMaintainer: no <n@o>\n"
    (root / "DEBIAN/control").write_text(f"{fields}Description: a test\n")
    index = mirror / "dists/mine/main/binary-amd64"
    index.mkdir(parents=True)
    deb = mirror / "chromium-common_1.0_amd64.deb"
    subprocess.run(["dpkg-deb", "--build", root, deb], check=True, capture_output=True)
    (index / "Packages").write_text(
        f"{fields}Filename: {deb.name}\nSize: {deb.stat().st_size}\n"
        f"SHA256: {hashlib.sha256(deb.read_bytes()).hexdigest()}\n"
    )
    text = (index / "Packages").read_bytes()
    (mirror / "dists/mine/Release").write_text(
        "Suite: mine\nArchitectures: amd64\nComponents: main\n"
        f"SHA256:\n {hashlib.sha256(text).hexdigest()} {len(text)} main/binary-amd64/Packages\n"
    )
    return Archive(mirror=f"copy:{mirror}", suite="mine", keyring=None)


@pytest.fixture
def debian(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Makes Debian what a test needs it to be."""

    def become(*files: str) -> None:
        archive = package(tmp_path, *files)
        fetch = functools.partial(fetch_packages, archive=archive)
        monkeypatch.setattr(swiftshader, "fetch_packages", fetch)
        monkeypatch.setattr(swiftshader.platform, "machine", lambda: "x86_64")

    return become


def test_it_is_fetched_once_and_removed(debian, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    debian(*swiftshader.FILES, "libVkLayer_khronos_validation.so")
    said: list[str] = []
    assert swiftshader.find() is None
    place = tmp_path / "data" / "swiftshader"
    told = f"SwiftShader of chromium-common_1.0_amd64 is in {place}"
    assert swiftshader.install(said.append) == told
    assert said == ["fetching SwiftShader, 27 MB"]
    assert sorted(path.name for path in place.iterdir()) == sorted(swiftshader.FILES)
    assert sorted(path.name for path in place.parent.iterdir()) == [
        "swiftshader",
        "swiftshader.lock",
    ]
    assert swiftshader.find() == place
    assert swiftshader.install(said.append) == f"SwiftShader is in {place}"
    assert len(said) == 1
    assert swiftshader.uninstall() == f"removed {place}"
    assert swiftshader.find() is None
    assert swiftshader.uninstall() == f"there is nothing in {place}"


def test_a_package_without_it_leaves_nothing(debian, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    debian("libvk_swiftshader.so")
    with pytest.raises(EdgeBudgetError, match=r"chromium-common_1.0_amd64.deb holds no libvulkan"):
        swiftshader.install(lambda text: None)
    assert swiftshader.find() is None
    assert not (tmp_path / "data" / "swiftshader").exists()


def test_a_browsers_own_is_found(empty: Path) -> None:
    place = empty / "chromium"
    place.mkdir(parents=True)
    for name in swiftshader.FILES[:2]:
        (place / name).write_text(name)
    assert swiftshader.find() is None
    (place / swiftshader.MANIFEST).write_text("{}")
    assert swiftshader.find() == place
    assert swiftshader.digest(place) == hashlib.sha256(b"libvk_swiftshader.so").hexdigest()[:12]


def test_its_environment_leaves_the_loader_no_other_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/lib")
    found = swiftshader.environment(tmp_path)
    manifest = str(tmp_path / "vk_swiftshader_icd.json")
    assert (found["VK_DRIVER_FILES"], found["VK_ICD_FILENAMES"]) == (manifest, manifest)
    assert found["LD_LIBRARY_PATH"] == f"{tmp_path}{os.pathsep}/opt/lib"
    assert found["XDG_RUNTIME_DIR"]


def test_a_machine_for_which_debian_has_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swiftshader.platform, "machine", lambda: "riscv64")
    with pytest.raises(EdgeBudgetError, match="Debian has no SwiftShader for Linux on riscv64"):
        swiftshader.install(lambda text: None)


def test_the_command_line_installs_what_the_profile_needs(
    debian,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    debian(*swiftshader.FILES)
    commands: list[list[str]] = []
    folder = tmp_path / "data" / "environments" / "onnxruntime-webgpu"
    folder.mkdir(parents=True)  # left behind by one that was interrupted
    (folder / "rest").touch()

    def run(command: list[str], doing: str) -> None:
        commands.append(command)
        folder.mkdir(exist_ok=True)

    monkeypatch.setattr(environments, "_run", run)
    assert main(["devices", "install", "android-gpu"]) == 0
    assert commands == []  # LiteRT alone runs there
    assert main(["devices", "install", "gpu"]) == 0
    assert [command[-2:] for command in commands] == [
        ["venv", str(folder)],
        ["onnxruntime-webgpu", "numpy"],
    ]
    assert not (folder / "rest").exists()
    assert main(["devices", "install", "gpu"]) == 0
    assert len(commands) == 2
    assert f"onnxruntime-webgpu is in {folder}" in capsys.readouterr().out
    assert main(["devices", "uninstall", "gpu"]) == 0
    assert not folder.exists()
    assert swiftshader.find() is None
