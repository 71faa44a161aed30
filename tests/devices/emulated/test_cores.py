"""Cores are what QEMU says they are, and boards are described as their Linux does it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_edgebudget.devices import load_profile, profiles
from pytest_edgebudget.devices.emulated.cores import cores
from pytest_edgebudget.devices.emulated.description import board_folder, describe

# mrs x0, midr_el1; ret - called from C, so that no assembler is needed.
READ_MIDR = "import ctypes, mmap; m = mmap.mmap(-1, 4096, prot=7); m.write(bytes.fromhex('000038d5c0035fd6')); f = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(m))); print(hex(f()))"


@pytest.mark.parametrize("name", [name for name, core in cores().items() if core.arch == "arm64"])
def test_part_variant_and_revision_are_those_of_qemus_model(name: str, installed_pi: Path) -> None:
    core = cores()[name]
    asked = subprocess.run(
        [
            "qemu-aarch64",
            "-L",
            installed_pi,
            "-cpu",
            core.cpu,
            installed_pi / "usr/bin/python3.11",
            "-E",
            "-B",
            "-c",
            READ_MIDR,
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    midr = int(asked.stdout, 16)  # implementer, variant, architecture, part, revision
    fields = (hex(midr >> 24), hex(midr >> 20 & 0xF), hex(midr >> 4 & 0xFFF), midr & 0xF)
    assert fields == ("0x41", core.variant, core.part, core.revision)


@pytest.mark.parametrize(("program", "arch"), [("qemu-aarch64", "arm64"), ("qemu-arm", "armhf")])
def test_qemu_knows_every_core(program: str, arch: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: apt install qemu-user")
    asked = subprocess.run([program, "-cpu", "help"], capture_output=True, text=True)
    known = set(asked.stdout.split())
    assert {core.cpu for core in cores().values() if core.arch == arch} <= known


def test_a_raspberry_pi_4_is_described_as_its_linux_does() -> None:
    """/proc/cpuinfo and sysfs of a Raspberry Pi 4 with Raspberry Pi OS, 64 bits."""
    files = describe(cores()["Cortex-A72"], 4, 1.5e9)
    first = files["proc/cpuinfo"].split("\n\n")[0]
    assert first == (
        "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\n"
        "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n"
        "CPU part\t: 0xd08\nCPU revision\t: 3"
    )
    assert files["proc/cpuinfo"].count("processor") == 4
    cpu = "sys/devices/system/cpu"
    assert {name: files[f"{cpu}/{name}"].strip() for name in ("possible", "present", "online")} == {
        "possible": "0-3",
        "present": "0-3",
        "online": "0-3",
    }
    assert files[f"{cpu}/cpu3/cache/index2/size"] == "1024K\n"
    assert files[f"{cpu}/cpu3/cache/index2/shared_cpu_list"] == "0-3\n"
    assert files[f"{cpu}/cpu3/cache/index1/type"] == "Instruction\n"
    assert files[f"{cpu}/cpu3/cpufreq/cpuinfo_max_freq"] == "1500000\n"
    assert f"{cpu}/cpu4/online" not in files


def test_cores_of_a_raspberry_pi_5_have_a_second_level_each_and_share_a_third() -> None:
    files = describe(cores()["Cortex-A76"], 4, None)
    cpu = "sys/devices/system/cpu/cpu1/cache"
    levels = {index: files[f"{cpu}/index{index}/shared_cpu_list"].strip() for index in (0, 1, 2, 3)}
    assert levels == {0: "1", 1: "1", 2: "1", 3: "0-3"}


def test_every_raspberry_pi_can_be_emulated() -> None:
    named = {
        name: load_profile(path).cpu for name, path in profiles().items() if "raspberry" in name
    }
    assert {name: cores()[cpu].arch for name, cpu in named.items()} == {
        "raspberry-pi-2": "armhf",
        "raspberry-pi-3": "arm64",
        "raspberry-pi-4": "arm64",
        "raspberry-pi-5": "arm64",
        "raspberry-pi-zero-2w": "arm64",
    }


def test_a_board_is_a_root_by_links_and_its_own_description(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/python").write_text("python")
    (root / "proc").mkdir()
    files = describe(cores()["Cortex-A7"], 1, 9e8)
    board = board_folder(tmp_path / "boards", "pi", root, files)
    assert re.fullmatch(r"pi-[0-9a-f]{12}", board.name)
    assert (board / "usr/bin/python").read_text() == "python"
    assert "CPU part\t: 0xc07" in (board / "proc/cpuinfo").read_text()
    assert (board / "sys/devices/system/cpu/possible").read_text() == "0\n"
    assert board_folder(tmp_path / "boards", "pi", root, files) == board
    other = board_folder(tmp_path / "boards", "pi", root, describe(cores()["Cortex-A7"], 2, 9e8))
    assert sorted(it.name for it in (tmp_path / "boards").iterdir()) == sorted(
        [board.name, other.name]
    )
