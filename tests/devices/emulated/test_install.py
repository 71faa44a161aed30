"""Installing and removing what emulates a board, from a mirror and wheels on this disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.debian import Archive
from pytest_edgebudget.devices.emulated import install as installing
from pytest_edgebudget.devices.emulated import wheels as wheel_module
from pytest_edgebudget.devices.emulated.install import install, uninstall
from pytest_edgebudget.devices.emulated.parts import Parts
from pytest_edgebudget.devices.emulated.qemu import Qemu, install_qemu, qemu_part
from pytest_edgebudget.devices.emulated.support import lacks, refusal
from pytest_edgebudget.devices.emulated.wheels import suits, wheel_part
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.types import DeviceChoice
from tests.devices.emulated.repository import archive, wheel, wheels

pytestmark = pytest.mark.skipif(
    not (shutil.which("apt-get") and shutil.which("dpkg-deb")),
    reason="apt and dpkg are not installed: apt install apt dpkg",
)

HERE = {
    "ai-edge-litert": "2.3.0",
    "numpy": "1.26.4",
    "onnxruntime": "1.32.0",
    "tflite-runtime": "2.14.0",
}
WHOLE = profile_named("raspberry-pi-4")
COUNTS = Qemu(program="qemu-aarch64", command=("qemu-aarch64",), version="7.2.0", counts=True)
PI = replace(WHOLE, runtimes=("litert",))  # fewer wheels, less time
ZERO = replace(profile_named("raspberry-pi-zero-2w"), runtimes=("litert",))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """A mirror and wheels, and pip that looks nowhere else. A root of nothing is not tried."""
    wheels(tmp_path / "wheels", HERE)
    for name, value in {
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(wheel_module, "_here", HERE.get)
    monkeypatch.setattr(installing, "machine_qemu", lambda arch: COUNTS)
    monkeypatch.setattr(installing, "try_board", lambda *board: None)
    return archive(tmp_path / "mirror")


@pytest.fixture
def place(tmp_path: Path) -> Parts:
    return Parts(tmp_path / "data")


def test_a_board_is_a_root_and_its_runtimes_and_the_counter(mirror: Archive, place: Parts) -> None:
    said: list[str] = []
    done = install(WHOLE, said.append, place, mirror)
    root = "debian-bookworm-arm64-1"
    rest = {f"{name}-{version}-arm64" for name, version in HERE.items()}
    counter = {name for name in place.names() if name.startswith("counter-")}
    assert set(place.names()) == {root, *rest, *counter}
    assert place.needed() == {"raspberry-pi-4": place.names()}
    assert (place.path(root) / "usr/lib/python3.11-minimal.so").read_text() == "python3.11-minimal"
    assert not (place.path(root) / "usr/share/man").exists()
    assert set(place.sources(root)) == {
        "libpython3.11-stdlib_1.0_arm64.deb",
        "libstdc++6_1.0_arm64.deb",
        "python3.11-minimal_1.0_arm64.deb",
        "zlib1g_1.0_arm64.deb",
    }
    assert all(len(digest) == 64 for digest in place.sources(root).values())
    assert (place.path("numpy-1.26.4-arm64") / "numpy/__init__.py").is_file()
    assert said[0] == f"fetching Python 3.11 for arm64 from {mirror.mirror}"
    assert "fetching ai-edge-litert==2.3.0 for arm64" in said
    assert done.startswith('raspberry-pi-4 can be emulated (run = "emulate"): ')
    assert list(place.downloads.iterdir()) == []


def test_what_is_there_is_not_fetched_again_by_whichever_board(
    mirror: Archive, place: Parts, tmp_path: Path
) -> None:
    install(PI, print, place, mirror)
    shutil.rmtree(tmp_path / "mirror")
    shutil.rmtree(tmp_path / "wheels")
    said: list[str] = []
    install(ZERO, said.append, place, mirror)
    assert said == []
    assert sorted(place.needed()) == ["raspberry-pi-4", "raspberry-pi-zero-2w"]


def test_what_another_board_needs_is_not_removed(mirror: Archive, place: Parts) -> None:
    install(PI, print, place, mirror)
    install(ZERO, print, place, mirror)
    parts = place.names()
    first = uninstall(PI, print, place)
    assert first == "raspberry-pi-4 is removed: 0 B; what raspberry-pi-zero-2w need stays"
    assert place.names() == parts
    assert uninstall(PI, print, place) == "raspberry-pi-4 is not installed"
    assert uninstall(ZERO, print, place).startswith("raspberry-pi-zero-2w is removed: ")
    assert place.names() == ()
    assert sorted(it.name for it in place.folder.iterdir()) == ["lock", "parts", "profiles"]


SCRIPT = """
import sys
from dataclasses import replace
from dataclasses import replace
from pathlib import Path
from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.debian import Archive
from pytest_edgebudget.devices.emulated import install
from pytest_edgebudget.devices.emulated.parts import Parts
from pytest_edgebudget.devices.emulated.qemu import Qemu

install.machine_qemu = lambda arch: Qemu(program="", command=(), version="", counts=True)
install.try_board = lambda *board: None
archive = Archive(mirror=sys.argv[2], suite="mine", keyring=None)
pi = replace(profile_named("raspberry-pi-4"), runtimes=("litert",))
print(install.install(pi, print, Parts(Path(sys.argv[1])), archive))
"""


def script(place: Parts, mirror: Archive, path: str | None = None) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONUNBUFFERED": "1"} | ({"PATH": path} if path else {})
    command = [sys.executable, "-c", SCRIPT, str(place.folder), mirror.mirror]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)


def test_an_install_that_is_killed_while_it_unpacks_goes_on_with_what_it_has(
    mirror: Archive, place: Parts, tmp_path: Path
) -> None:
    slow = tmp_path / "bin/dpkg-deb"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    slow.chmod(0o755)
    first = script(place, mirror, f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    assert first.stdout is not None
    for line in first.stdout:
        if line.startswith("unpacking"):
            break
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert first.poll() is None
    child = int((tmp_path / "pid").read_text())
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert place.names() == ()
    assert place.needed() == {}
    if shutil.which("setpriv"):
        assert ended(child)
    for package in (tmp_path / "mirror").glob("*.deb"):
        package.unlink()  # they are here already
    install(PI, print, place, mirror)
    assert "raspberry-pi-4" in place.needed()
    assert [it.name for it in (place.folder / "parts").glob(".*")] == []


def ended(pid: int) -> bool:
    """Whether a process is gone, or is so soon."""
    import time

    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def test_two_installs_at_once_make_one_of_it(mirror: Archive, place: Parts) -> None:
    both = [script(place, mirror) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("another install is at work" in text for text in said) <= 1
    assert sum("unpacking" in text for text in said) == 1
    assert all("raspberry-pi-4 can be emulated" in text for text in said)


def test_a_mirror_without_the_architecture_is_told(
    place: Parts, tmp_path: Path, mirror: Archive
) -> None:
    other = archive(tmp_path / "other", "armhf")
    with pytest.raises(EdgeBudgetError) as caught:
        install(PI, print, place, other)
    assert "apt-get" in caught.value.message
    assert place.names() == ()


def test_packages_without_a_signature_are_refused(
    place: Parts, mirror: Archive, tmp_path: Path
) -> None:
    keyring = tmp_path / "keys.gpg"
    keyring.write_bytes(b"")
    signed = Archive(mirror=mirror.mirror, suite="mine", keyring=keyring)
    with pytest.raises(EdgeBudgetError) as caught:
        install(PI, print, place, signed)
    assert "not signed" in str(caught.value)
    assert place.names() == ()


def test_a_runtime_in_the_version_of_this_machine_or_else_the_newest(
    mirror: Archive, place: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(tmp_path / "wheels", "ai-edge-litert", "2.10.0")
    monkeypatch.setattr(wheel_module, "_here", {**HERE, "ai-edge-litert": "2.9.0"}.get)
    said: list[str] = []
    install(PI, said.append, place, mirror)
    words = "ai-edge-litert 2.9.0, as it is here, is not to be had: fetching ai-edge-litert==2.9.0"
    assert any(line.startswith(words) for line in said)
    assert wheel_part(place, "litert", "ai-edge-litert", "arm64") == "ai-edge-litert-2.10.0-arm64"
    monkeypatch.setattr(wheel_module, "_here", {}.get)
    assert wheel_part(place, "litert", "numpy", "arm64") == "numpy-1.26.4-arm64"


def test_the_older_runtime_has_a_numpy_of_its_own_where_here_is_a_newer_one(
    mirror: Archive, place: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(tmp_path / "wheels", "numpy", "2.4.1")
    monkeypatch.setattr(wheel_module, "_here", {**HERE, "numpy": "2.4.1"}.get)
    install(replace(WHOLE, runtimes=("litert", "tflite-runtime")), print, place, mirror)
    assert wheel_part(place, "litert", "numpy", "arm64") == "numpy-2.4.1-arm64"
    assert wheel_part(place, "tflite-runtime", "numpy", "arm64") == "numpy-1.26.4-arm64"
    assert not suits("tflite-runtime", "numpy", "2.0.0")


def test_a_runtime_that_pypi_does_not_have_is_told(
    mirror: Archive, place: Parts, tmp_path: Path
) -> None:
    for path in (tmp_path / "wheels").glob("ai_edge_litert*"):
        path.unlink()
    with pytest.raises(EdgeBudgetError) as caught:
        install(PI, print, place, mirror)
    assert caught.value.message == "fetching ai-edge-litert for arm64 failed"
    assert "No matching distribution found for ai-edge-litert" in caught.value.hint
    assert place.needed() == {}


def test_what_is_missing_is_told_with_the_command_that_brings_it(
    mirror: Archive, place: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pytest_edgebudget.devices.emulated.support.find_qemu", lambda arch, parts: None
    )
    choice = DeviceChoice(profile=WHOLE, run="emulate")
    told = [(lack.what, lack.command) for lack in lacks(choice, place)]
    assert told == [("no arm64 Linux is installed", "edgebudget devices install raspberry-pi-4")]
    install(PI, print, place, mirror)
    told = [(lack.what, lack.command) for lack in lacks(choice, place)]
    assert told == [
        ("qemu-aarch64 is not installed", "edgebudget devices install raspberry-pi-4"),
        ("onnxruntime for arm64 is not installed", "edgebudget devices install raspberry-pi-4"),
    ]


def test_a_machine_without_a_qemu_that_counts_gets_one_beside_the_boards(
    place: Parts, tmp_path: Path
) -> None:
    if not qemu_part():
        pytest.skip("Debian has no QEMU for a machine like this one")
    arch = qemu_part().split("-")[3]
    install_qemu(place, print, archive(tmp_path / "emulators", arch, ["qemu-user"]))
    assert place.names() == (qemu_part(),)
    assert list(place.sources(qemu_part())) == [f"qemu-user_1.0_{arch}.deb"]
    assert [it.name for it in (place.path(qemu_part()) / "usr/bin").iterdir()] == ["qemu-aarch64"]


def test_boards_that_cannot_be_emulated_say_why(place: Parts) -> None:
    with pytest.raises(
        EdgeBudgetError, match="has a Cortex-M4; QEMU's programs run those of Cortex"
    ):
        install(profile_named("stm32l4r5-tflm"), print, place)
    assert refusal(profile_named("host")).startswith("host has no CPU that its profile names; ")
    assert refusal(PI) == ""
    assert refusal(profile_named("coral-dev-board")) == ""
