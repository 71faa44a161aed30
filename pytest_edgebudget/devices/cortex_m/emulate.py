"""
A program on an emulated board: samples in through memory, answers out of a serial port.

The guest can neither read nor write anything of this machine: no semihosting,
no network, no disk. It ends QEMU by resetting its board.
"""

from __future__ import annotations

import functools
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_edgebudget.devices.cortex_m.boards import Board
from pytest_edgebudget.devices.cortex_m.build import Built
from pytest_edgebudget.devices.cortex_m.tools import EMULATOR, Keeper
from pytest_edgebudget.errors import DeviceError

MAGIC = 0x45444745
ANSWER, COUNT, WRAPS = 1, 2, 4
PERIOD = 1 << 24  # of SysTick

COARSE, FINE = 0, 7
"""Nanoseconds of an instruction, as powers of two, in the two runs that count them."""


@dataclass(frozen=True, slots=True)
class Run:
    """*outputs* of each sample, and the *stack* that an inference took at the most, in bytes."""

    outputs: tuple[bytes, ...]
    stack: int


def answers(built: Built, samples: Sequence[bytes], keeper: Keeper, limit: float) -> Run:
    """
    Run *samples*, each the bytes of all inputs.

    Raises DeviceError where the program or QEMU fails, or takes too long.
    """
    said = _Said(_run(built, samples, ANSWER, None, keeper, limit))
    width = sum(slot.size for slot in built.program.outputs)
    outputs = tuple(said.tagged("S", width) for _ in samples)
    return Run(outputs, said.word("E"))


def instructions(built: Built, sample: bytes, keeper: Keeper, limit: float) -> tuple[int, ...]:
    """
    Instructions of each layer for one sample.

    SysTick counts 24 bits of nanoseconds, and an instruction takes 2^n of them:
    with n = 0 it tells roughly how many there were, with n = 7 it tells the last
    bits of the number. A call of a function that does nothing is taken off.
    """
    rough = _ticks(built, sample, WRAPS, COARSE, keeper, limit)
    fine = _ticks(built, sample, 0, FINE, keeper, limit)
    tick = built.core.board.tick
    counts = [_count(a, b, tick) for a, b in zip(rough, fine, strict=True)]
    return tuple(count - counts[0] + 1 for count in counts[1:])


def _count(rough: int, fine: int, tick: float) -> int:
    """The number whose last bits are those of *fine* and that is nearest to *rough*."""
    about, length = rough * tick / (1 << COARSE), tick / (1 << FINE)
    turns = round((about - fine * length) / (PERIOD * length))
    return round((fine + turns * PERIOD) * length)


def _ticks(
    built: Built, sample: bytes, mode: int, shift: int, keeper: Keeper, limit: float
) -> list[int]:
    """Ticks of nothing, and of each layer."""
    said = _Said(_run(built, [sample], COUNT | mode, shift, keeper, limit))
    ticks = []
    for _ in range(len(built.program.layers) + 1):
        low, wraps = struct.unpack("<II", said.tagged("L", 8))
        ticks.append(low + wraps * PERIOD)
    return ticks


def _run(
    built: Built,
    samples: Sequence[bytes],
    mode: int,
    shift: int | None,
    keeper: Keeper,
    limit: float,
) -> bytes:
    board, folder = built.core.board, built.folder
    header = struct.pack("<III", MAGIC, len(samples), mode)
    (folder / "samples.bin").write_bytes(header + b"".join(samples))
    (folder / "answers.bin").unlink(missing_ok=True)
    done = keeper.run(
        command(board, shift), folder, limit, f"running it on an emulated {board.core}"
    )
    if not done.well:
        raise DeviceError(
            f"{EMULATOR} {done.ending} while it ran the model on a {board.core}",
            done.said.strip()[-400:],
        )
    return (folder / "answers.bin").read_bytes()


def command(board: Board, shift: int | None) -> list[str]:
    """QEMU's words; *shift*: virtual time by instructions, 2^shift nanoseconds each."""
    timed = [] if shift is None else ["-icount", f"shift={shift}"]
    return [
        *(EMULATOR, "-M", board.machine, *timed),
        *("-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot"),
        *("-serial", "file:answers.bin", "-kernel", "bench.elf"),
        *("-device", f"loader,file=samples.bin,addr={board.samples:#x},force-raw=on"),
        *_confined(),
    ]


SANDBOX = ("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny")


@functools.cache
def _confined() -> tuple[str, ...]:
    """QEMU's own filter of system calls, where it was built with one."""
    words = [EMULATOR, "-M", "none", "-display", "none", "-monitor", "stdio", *SANDBOX]
    try:
        tried = subprocess.run(words, input=b"quit\n", capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return SANDBOX if tried.returncode == 0 else ()


def room(board: Board, sample: int) -> int:
    """How many samples of that many bytes a run takes at the most."""
    return max(1, (board.samples_size - 12) // max(sample, 1))


class _Said:
    """What came out of the serial port, read from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def tagged(self, tag: str, size: int) -> bytes:
        """The *size* bytes behind *tag*."""
        start = self._at + 1
        found = self._data[self._at : start].decode("latin1")
        if found == "F":
            (address,) = struct.unpack("<I", self._data[start : start + 4].ljust(4, b"\0"))
            raise DeviceError(f"the model's program failed at address {address:#x}")
        if found != tag or len(self._data) < start + size:
            raise DeviceError("the emulated board stopped in the middle of its answers")
        self._at = start + size
        return self._data[start : start + size]

    def word(self, tag: str) -> int:
        """The number behind *tag*."""
        (value,) = struct.unpack("<I", self.tagged(tag, 4))
        return int(value)
