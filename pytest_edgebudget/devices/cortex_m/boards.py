"""
Which compiler options a core takes, and which emulated board runs its code.

QEMU has boards for five cores. Code of another core runs on one that knows all
its instructions: the instructions are those of the compiled program, whichever
of the two executes them.

Sources: QEMU, hw/arm/mps2.c, mps2-tz.c and armsse.c (memory, serial ports, clocks
of the boards); Arm's Application Notes AN385, AN386, AN500, AN505, AN547.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """
    A machine of QEMU.

    Attributes:
        machine: as in ``-M``.
        core: what it emulates.
        boot: where it looks for the vector table.
        flash, flash_size: where programs lie (the table included where it is
            the same address), and the most that there is.
        ram, ram_size: likewise.
        samples, samples_size: other memory, for inputs.
        uart: the first serial port.
        tick: nanoseconds of SysTick at the processor's clock.
    """

    machine: str
    core: str
    boot: int
    flash: int
    flash_size: int
    ram: int
    ram_size: int
    samples: int
    samples_size: int
    uart: int
    tick: float


@dataclass(frozen=True, slots=True)
class Core:
    """A core: *flags* of arm-none-eabi-gcc, and the *board* that runs its code."""

    name: str
    flags: tuple[str, ...]
    board: Board


def _mps2(machine: str, core: str, psram: int) -> Board:
    return Board(
        machine=machine,
        core=core,
        boot=0x0000_0000,
        flash=0x0000_0000,
        flash_size=4 * MIB,
        ram=0x2000_0000,
        ram_size=4 * MIB,
        samples=psram,
        samples_size=16 * MIB,
        uart=0x4000_4000,
        tick=40.0,
    )


_AN385 = _mps2("mps2-an385", "Cortex-M3", 0x2100_0000)
_AN386 = _mps2("mps2-an386", "Cortex-M4", 0x2100_0000)
_AN500 = _mps2("mps2-an500", "Cortex-M7", 0x6000_0000)
_AN505 = Board(
    machine="mps2-an505",
    core="Cortex-M33",
    boot=0x1000_0000,
    flash=0x1000_0000,
    flash_size=4 * MIB,
    ram=0x3800_0000,
    ram_size=4 * MIB,
    samples=0x8000_0000,
    samples_size=16 * MIB,
    uart=0x4020_0000,
    tick=50.0,
)
_AN547 = Board(
    machine="mps3-an547",
    core="Cortex-M55",
    boot=0x0000_0000,
    flash=0x6000_0000,
    flash_size=64 * MIB,
    ram=0x6400_0000,
    ram_size=64 * MIB,
    samples=0x6800_0000,
    samples_size=64 * MIB,
    uart=0x4930_3000,
    tick=31.25,
)


def _core(name: str, board: Board, *more: str) -> Core:
    cpu = name.lower().replace("+", "plus")
    return Core(name, (f"-mcpu={cpu}", "-mthumb", *more), board)


_FLOAT = "-mfloat-abi=hard"
CORES: Mapping[str, Core] = {
    core.name: core
    for core in (
        _core("Cortex-M0", _AN385),
        _core("Cortex-M0+", _AN385),
        _core("Cortex-M1", _AN385),
        _core("Cortex-M3", _AN385),
        _core("Cortex-M4", _AN386, _FLOAT, "-mfpu=fpv4-sp-d16"),
        _core("Cortex-M7", _AN500, _FLOAT, "-mfpu=fpv5-sp-d16"),
        _core("Cortex-M23", _AN505),
        _core("Cortex-M33", _AN505, _FLOAT, "-mfpu=fpv5-sp-d16"),
        _core("Cortex-M35P", _AN505, _FLOAT, "-mfpu=fpv5-sp-d16"),
        _core("Cortex-M55", _AN547, _FLOAT),
    )
}
"""By the name that profiles have for them; floats are of 32 bits in hardware where they can be."""
