"""The emulated computer: what is on its disk, how it is started, and what it answered."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pytest_edgebudget.devices.base import CannotTell, Lack
from pytest_edgebudget.devices.emulated.bench import WORKER
from pytest_edgebudget.devices.emulated.board import Board
from pytest_edgebudget.devices.emulated.root import PYTHON
from pytest_edgebudget.devices.emulated.system.cpio import Archive
from pytest_edgebudget.devices.emulated.system.init import MARK
from pytest_edgebudget.devices.emulated.system.kernel import PART
from pytest_edgebudget.devices.emulated.tether import tether
from pytest_edgebudget.devices.emulated.wheels import needs, wheel_part
from pytest_edgebudget.errors import DeviceError, ModelError
from pytest_edgebudget.types import Artifact

PROGRAM = "qemu-system-aarch64"
MISSING = Lack(f"{PROGRAM} is not installed", "apt install qemu-system-arm")
WEIGHINGS = 3
PATIENCE = 600.0  # seconds for all of it
SYSTEM = 640 * 2**20
"""Bytes of memory for the kernel and its root folder, which lies in memory."""
MOST = 2**30
"""Bytes of the highest ceiling: the memory of an emulated computer is this machine's."""
_UNUSED = ("tests", "doc", "include")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """
    What became of a model in the computer.

    Attributes:
        anonymous, mapped: bytes as in `MemoryFacts`, one entry a fresh worker.
        peak: bytes of the worker as a whole, its files left out.
        ceiling: bytes that it could have at most.
        kernel: the release of Linux.
    """

    anonymous: tuple[int, ...]
    mapped: tuple[int, ...]
    peak: int
    ceiling: int
    kernel: str


def weigh(board: Board, runtime: str, model: Artifact, *, threads: int, ceiling: int) -> Weighed:
    """
    Boot the computer, weigh the model under *ceiling*, switch it off.

    Raises CannotTell when the model was killed at the ceiling or QEMU is
    missing, ModelError when the runtime refuses the model, and DeviceError
    when the computer does not get that far.
    """
    ceiling = min(ceiling, MOST)
    with TemporaryDirectory(prefix="edgebudget-") as scratch:
        disk = Path(scratch) / "disk"
        _write_disk(disk, board, runtime, model, {"threads": threads, "ceiling": ceiling})
        result = _result(_run(board, disk, threads, ceiling), ceiling)
    replies = [_reply(reply, result, model, ceiling) for reply in result["replies"]]
    return Weighed(
        anonymous=tuple(reply["anonymous"] for reply in replies),
        mapped=tuple(reply["mapped"] for reply in replies),
        peak=result["peak"],
        ceiling=ceiling,
        kernel=result["kernel"],
    )


def _write_disk(
    disk: Path, board: Board, runtime: str, model: Artifact, settings: dict[str, int]
) -> None:
    """Everything at the places that it has here: paths in what was compiled stay right."""
    python = board.root / f"usr/bin/python{PYTHON}"
    task = {
        **settings,
        "runtime": runtime,
        "model": str(model.path.resolve()),
        "weighings": WEIGHINGS,
        "command": [str(python), "-s", "-B", str(WORKER)],
        "environment": board.environment(runtime),
    }
    with disk.open("wb") as file:
        archive = Archive(file)
        archive.console()
        for name in ("proc", "sys", "tmp"):
            archive.folder(name)
        for folder in _folders(board, runtime):
            archive.tree(folder, str(folder), _wanted)
        for entry in sorted(board.root.iterdir()):
            archive.link(entry.name, str(entry))
        for path in (model.path.resolve(), *(it.resolve() for it in model.external)):
            archive.text(str(path), path.read_bytes())
        script = Path(__file__).with_name("init.py").read_text(encoding="utf-8")
        archive.text("init", f"#!{python} -s\n{script}".encode(), 0o755)
        archive.text("task.json", json.dumps(task).encode())
        archive.end()


def _folders(board: Board, runtime: str) -> list[Path]:
    arch = board.core.arch
    wheels = [wheel_part(board.parts, runtime, name, arch) for name in needs(runtime, arch)]
    folders = [board.root, *(board.parts.path(name) for name in wheels), WORKER]
    return [*folders, board.parts.bytecode] if board.parts.bytecode.is_dir() else folders


def _wanted(path: Path) -> bool:
    """Not what no program reads: it would lie in memory."""
    return not (set(path.parts) & set(_UNUSED)) and "WebGpu" not in path.name


def _run(board: Board, disk: Path, threads: int, ceiling: int) -> str:
    """What the computer said on its serial line."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise CannotTell(MISSING.what, MISSING.command)
    command = [
        *tether(),
        *(program, "-M", "virt", "-cpu", board.core.cpu, "-smp", str(threads)),
        *("-m", f"{(SYSTEM + ceiling) >> 20}M", "-display", "none", "-monitor", "none"),
        *("-serial", "stdio", "-net", "none", "-no-reboot", "-seed", "1"),
        *("-kernel", str(board.parts.path(PART) / "vmlinuz"), "-initrd", str(disk)),
        # Files in "ramfs" are files in Linux's books; in its other kind they are shared memory.
        *("-append", "console=ttyAMA0 quiet loglevel=0 panic=-1 rootfstype=ramfs"),
    ]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DeviceError(f"the emulated computer gave no answer in {PATIENCE:g} s") from error
    return done.stdout if MARK in done.stdout else done.stdout + done.stderr


def _result(said: str, ceiling: int) -> dict[str, Any]:
    """The line behind the mark."""
    before, mark, line = said.rpartition(MARK)
    if not mark:
        tail = "\n  ".join(before.splitlines()[-4:])
        raise DeviceError("the emulated computer ended without an answer", tail)
    result: dict[str, Any] = json.loads(line.splitlines()[0])
    if "failed" in result:
        raise DeviceError(f"the emulated computer could not weigh: {result['failed']}")
    return result


def _reply(
    reply: dict[str, Any], result: dict[str, Any], model: Artifact, ceiling: int
) -> dict[str, int]:
    """A worker's answer, or what became of it as an error."""
    if "ok" in reply:
        found: dict[str, int] = reply["ok"]
        return found
    if result["killed"]:
        raise CannotTell(
            f"{model.path.name} was killed at the ceiling of {ceiling >> 20} MiB: with Python and"
            " the runtime it needs more memory",
            "an emulated computer has no more than that" if ceiling == MOST else "",
        )
    if "error" in reply and reply["error"]["kind"] == "model":
        raise ModelError(f"{model.path.name}: {reply['error']['message']}", reply["error"]["hint"])
    said = reply["error"]["message"] if "error" in reply else "; ".join(reply["said"])
    raise DeviceError(f"the worker in the emulated computer failed: {said}")
