"""From a model to programs: generated, compiled, linked with a profile's memory."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.cortex_m.boards import Core
from pytest_edgebudget.devices.cortex_m.generator import Program, Slot, generate
from pytest_edgebudget.devices.cortex_m.link import ENDLESS, Sizes, overflowed, script, sizes
from pytest_edgebudget.devices.cortex_m.tools import COMPILER, Done, Keeper
from pytest_edgebudget.errors import DeviceError
from pytest_edgebudget.graph.ir import Graph

SUPPORT = Path(__file__).parent / "c"
COMMON = (
    "-std=c11",
    "-ffreestanding",
    "-fwrapv",
    "-fno-tree-loop-distribute-patterns",  # no calls of memset, which there is not
    "-ffunction-sections",
    "-fdata-sections",
)
FAST, SMALL = "-O2", "-Os"
"""Kernels and all else, as TensorFlow Lite Micro's makefile compiles them."""

LINK = ("-nostdlib", "-nostartfiles", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments")
LIMIT = 120.0  # seconds of a compiler


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of *flash* and *ram* in one piece each; None where a profile does not say."""

    flash: int | None
    ram: int | None


@dataclass(frozen=True, slots=True)
class Built:
    """
    Programs of a model for a core, in *folder*.

    Attributes:
        program: what was generated.
        sizes: of ``firmware.elf``, which has nothing but the model.
        fits: whether the linker found room in the profile's memory for it and
            a stack of 1 KiB.
        runs: whether ``bench.elf`` fits on the emulated board.
    """

    folder: Path
    core: Core
    program: Program
    sizes: Sizes
    fits: bool
    runs: bool


class Builder:
    """Builds for one core and one memory, in folders that it keeps until it is closed."""

    def __init__(self, core: Core, memory: Memory) -> None:
        self._core = core
        self._memory = memory
        self._built: dict[str, Built] = {}
        self._removals: list[Callable[[], object]] = []

    def build(self, model: Graph, sha256: str, keeper: Keeper) -> Built:
        """
        The programs of *model*, whose file has that SHA-256; made once.

        Raises CannotTell where there is no C for the model, and DeviceError
        where the compiler fails.
        """
        if sha256 not in self._built:
            program = generate(model)
            job = _Job(self._folder(), self._core, keeper)
            self._built[sha256] = job.run(program, self._memory)
        return self._built[sha256]

    def close(self) -> None:
        """Remove all of it."""
        self._built.clear()
        while self._removals:
            self._removals.pop()()

    def _folder(self) -> Path:
        """A new one; it goes with the builder at the latest."""
        folder = Path(tempfile.mkdtemp(prefix="edgebudget-"))
        self._removals.append(weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True))
        return folder


@dataclass(frozen=True, slots=True)
class _Job:
    folder: Path
    core: Core
    keeper: Keeper

    def run(self, program: Program, memory: Memory) -> Built:
        self._write(program)
        self._compile(["kernels.c", "softmax.c"], FAST)
        self._compile(["model.c", "firmware.c", "bench.c", "slots.c", "weights.S"], SMALL)
        fits = self._link_firmware(memory)
        listing = self._run([_size_program(), "-A", "-d", "firmware.elf"], "measuring it")
        board = self.core.board
        runs = self._link("bench", board.flash_size, board.ram_size, more=("slots.o",))
        return Built(self.folder, self.core, program, sizes(listing.said), fits, runs)

    def _write(self, program: Program) -> None:
        for file in SUPPORT.iterdir():
            shutil.copyfile(file, self.folder / file.name)
        slots = _slots("edge_inputs", program.inputs) + _slots("edge_outputs", program.outputs)
        texts = {"model.c": program.source, "weights.S": program.assembly, "slots.c": _SLOT + slots}
        for name, text in texts.items():
            (self.folder / name).write_text(text, encoding="ascii")
        (self.folder / "weights.bin").write_bytes(program.data)

    def _compile(self, files: Sequence[str], level: str) -> None:
        board = self.core.board
        defined = (f"-DEDGE_SAMPLES={board.samples:#x}", f"-DEDGE_UART={board.uart:#x}")
        command = [COMPILER, *self.core.flags, *COMMON, *defined, level, "-c", *files]
        self._run(command, "compiling the model's C")

    def _link_firmware(self, memory: Memory) -> bool:
        """Whether it fits; when not, it is linked without bounds."""
        fits = self._link("firmware", memory.flash or ENDLESS, memory.ram or ENDLESS)
        if not fits and not self._link("firmware", ENDLESS, ENDLESS):
            raise CannotTell("the program is larger than any microcontroller's memory")
        return fits

    def _link(self, name: str, flash: int, ram: int, more: Sequence[str] = ()) -> bool:
        """Whether the memory is large enough."""
        done = self._try_link(name, flash, ram, more)
        if not done.well and not overflowed(done.said):
            raise _failed(done, "linking the model's C")
        return done.well

    def _try_link(self, name: str, flash: int, ram: int, more: Sequence[str] = ()) -> Done:
        (self.folder / f"{name}.ld").write_text(script(self.core.board, flash, ram))
        objects = [f"{name}.o", *more, "model.o", "weights.o", "kernels.o", "softmax.o"]
        command = [COMPILER, *self.core.flags, *LINK, "-T", f"{name}.ld", *objects, "-lgcc"]
        return self.keeper.run([*command, "-o", f"{name}.elf"], self.folder, LIMIT, "linking")

    def _run(self, command: Sequence[str], doing: str) -> Done:
        done = self.keeper.run(command, self.folder, LIMIT, doing)
        if not done.well:
            raise _failed(done, doing)
        return done


_SLOT = "#include <stdint.h>\ntypedef struct { int32_t offset, size; } slot;\n"


def _slots(name: str, slots: Sequence[Slot]) -> str:
    rows = ", ".join(f"{{{slot.offset}, {slot.size}}}" for slot in slots)
    return f"const slot {name}[] = {{{rows}, {{0, 0}}}};\n"


def _size_program() -> str:
    return COMPILER.replace("gcc", "size")


def _failed(done: Done, doing: str) -> DeviceError:
    return DeviceError(f"{COMPILER} {done.ending} while {doing}", done.said.strip()[-800:])
