"""
The board's CPU description: the files in which Linux tells programs what they run on.

Runtimes choose their kernels by them. Whatever a program asks for and does not
find here it would read of this machine, whose description crashes LiteRT and is
not the board's: so every file is here that pytorch-cpuinfo reads (LiteRT,
XNNPACK and ONNX Runtime carry it).

Sources: Linux, Documentation/ABI/stable/sysfs-devices-system-cpu and
Documentation/admin-guide/cputopology.rst; proc_cpuinfo(5).
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_edgebudget.devices.emulated.cores import Core

_CPU = "sys/devices/system/cpu"
_LINE = "64"  # bytes of a line in the caches of all these cores
_OWN = ("proc", "sys", "dev", "tmp", "run")
"""Folders of a root that are the board's own, or this machine's."""


def describe(core: Core, count: int, hertz: float | None) -> Mapping[str, str]:
    """The files of a board with *count* such cores: paths without a leading slash, and texts."""
    files = {"proc/cpuinfo": _cpuinfo(core, count)}
    everyone = _range(count)
    for name in ("possible", "present", "online"):
        files[f"{_CPU}/{name}"] = everyone
    files[f"{_CPU}/kernel_max"] = "255"
    for index in range(count):
        files |= {f"{_CPU}/cpu{index}/{k}": v for k, v in _cpu(core, index, count, hertz)}
    return {path: text.rstrip("\n") + "\n" for path, text in files.items()}


def _range(count: int) -> str:
    return f"0-{count - 1}" if count > 1 else "0"


def _cpuinfo(core: Core, count: int) -> str:
    text = (
        f"BogoMIPS\t: 108.00\nFeatures\t: {core.features}\n"
        f"CPU implementer\t: 0x41\nCPU architecture: {core.architecture}\n"
        f"CPU variant\t: {core.variant}\nCPU part\t: {core.part}\n"
        f"CPU revision\t: {core.revision}\n"
    )
    return "".join(f"processor\t: {index}\n{text}\n" for index in range(count))


def _cpu(core: Core, index: int, count: int, hertz: float | None) -> Iterator[tuple[str, str]]:
    """What is told of one CPU, in its folder."""
    mask = f"{(1 << count) - 1:x}"
    yield "online", "1"
    for name, value in {
        "core_id": str(index),
        "cluster_id": "0",
        "physical_package_id": "0",
        "core_cpus": f"{1 << index:x}",
        "core_cpus_list": str(index),
        "thread_siblings": f"{1 << index:x}",
        "thread_siblings_list": str(index),
        "core_siblings": mask,
        "core_siblings_list": _range(count),
        "cluster_cpus": mask,
        "cluster_cpus_list": _range(count),
        "package_cpus": mask,
        "package_cpus_list": _range(count),
    }.items():
        yield f"topology/{name}", value
    # Cores of one clock are one cluster. Where it is not known, theirs is the same all the same.
    for name in ("cpuinfo_max_freq", "cpuinfo_min_freq"):
        yield f"cpufreq/{name}", str(round((hertz or 0.0) / 1e3))
    yield from _caches(core, index, count)


def _caches(core: Core, index: int, count: int) -> Iterator[tuple[str, str]]:
    own, all_ = str(index), _range(count)
    levels = [
        (1, "Data", core.l1d, own),
        (1, "Instruction", core.l1i, own),
        (2, "Unified", core.l2, all_ if core.l2_shared else own),
        *([(3, "Unified", core.l3, all_)] if core.l3 else []),
    ]
    for number, (level, kind, size, shared) in enumerate(levels):
        for name, value in {
            "level": str(level),
            "type": kind,
            "size": f"{size // 1024}K",
            "coherency_line_size": _LINE,
            "shared_cpu_list": shared,
        }.items():
            yield f"cache/index{number}/{name}", value


def board_folder(boards: Path, name: str, root: Path, files: Mapping[str, str]) -> Path:
    """
    The folder that QEMU shows as ``/``: *root* by links, and *files* of the board's own.

    Made once for each content, in *boards*: two runs that make it at the same
    time make the same one. Raises OSError where it cannot be written.
    """
    sha256 = hashlib.sha256(repr((str(root), sorted(files.items()))).encode())
    folder = boards / f"{name}-{sha256.hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    boards.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=boards) as made:
        _fill(Path(made) / "board", root, files)
        try:
            (Path(made) / "board").rename(folder)
        except OSError:
            if not folder.is_dir():  # nobody else was faster
                raise
    return folder


def _fill(folder: Path, root: Path, files: Mapping[str, str]) -> None:
    folder.mkdir()
    for entry in sorted(root.iterdir()):
        if entry.name not in _OWN:
            (folder / entry.name).symlink_to(entry.resolve())
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="ascii")


def forget_boards(boards: Path, name: str) -> None:
    """Remove the folders of a profile's boards."""
    for folder in boards.glob(f"{name}-????????????"):
        shutil.rmtree(folder, ignore_errors=True)
