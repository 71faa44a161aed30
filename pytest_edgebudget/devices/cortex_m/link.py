"""
The linker's part: memory of the sizes that a profile gives, and what went where.

A program that is too large is no error of ours: the linker says so, and another
link without bounds tells by how much.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_edgebudget.devices.cortex_m.boards import Board

STACK = 1024
"""Bytes that are kept free for the stack until it has been measured."""

STACK_SEEN = 64 << 10
"""Bytes under the top of RAM in which a stack's depth is looked for."""

BOOT_SIZE = 4096
ENDLESS = 1 << 28
"""Bytes of a memory without bounds."""

_OVERFLOW = re.compile(r"region `\w+' overflowed")
_SECTION = re.compile(r"^(\.\w+)\s+(\d+)\s+\d+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of a linked program's sections."""

    code: int
    constants: int
    weights: int
    data: int
    bss: int

    @property
    def flash(self) -> int:
        """What lies in flash: *data* starts from there."""
        return self.code + self.constants + self.weights + self.data

    @property
    def ram(self) -> int:
        """What lies in RAM, without the stack."""
        return self.data + self.bss


def script(board: Board, flash: int, ram: int) -> str:
    """A linker script for *board*, with so many bytes of flash and RAM."""
    apart = board.boot != board.flash
    boot = f"  BOOT (rx) : ORIGIN = {board.boot:#x}, LENGTH = {BOOT_SIZE}\n" if apart else ""
    return _SCRIPT.format(
        boot=boot,
        first="BOOT" if apart else "FLASH",
        flash_at=board.flash,
        flash=flash,
        ram_at=board.ram,
        ram=ram,
        stack=STACK,
        seen=STACK_SEEN,
    )


_SCRIPT = """\
MEMORY
{{
{boot}  FLASH (rx) : ORIGIN = {flash_at:#x}, LENGTH = {flash}
  RAM (rw) : ORIGIN = {ram_at:#x}, LENGTH = {ram}
}}
ENTRY(main)
SECTIONS
{{
  .vectors : {{ KEEP(*(.vectors)) }} > {first}
  .text : {{ *(.text .text.*) }} > FLASH
  .rodata : {{ *(.rodata .rodata.*) }} > FLASH
  .weights : {{ *(.edge_weights) }} > FLASH
  .data : ALIGN(4)
  {{
    edge_data = .;
    *(.data .data.*)
    . = ALIGN(4);
    edge_data_end = .;
  }} > RAM AT > FLASH
  edge_data_load = LOADADDR(.data);
  .bss (NOLOAD) : ALIGN(4)
  {{
    edge_bss = .;
    *(.bss .bss.* COMMON)
    . = ALIGN(4);
    edge_bss_end = .;
  }} > RAM
  .stack (NOLOAD) : ALIGN(8) {{ . = . + {stack}; }} > RAM
  edge_stack_top = ORIGIN(RAM) + LENGTH(RAM);
  edge_stack_limit = MAX(edge_bss_end, edge_stack_top - {seen});
  /DISCARD/ : {{ *(.ARM.exidx*) *(.comment) *(.note*) }}
}}
"""


def sizes(listing: str) -> Sizes:
    """What ``arm-none-eabi-size -A -d`` printed."""
    found: Mapping[str, int] = {name: int(size) for name, size in _SECTION.findall(listing)}
    return Sizes(
        code=found.get(".vectors", 0) + found.get(".text", 0),
        constants=found.get(".rodata", 0),
        weights=found.get(".weights", 0),
        data=found.get(".data", 0),
        bss=found.get(".bss", 0),
    )


def overflowed(said: str) -> bool:
    """Whether the linker ended since a memory is too small."""
    return (
        "will not fit in region" in said or re.search(r"region `\w+' overflowed", said) is not None
    )
