"""The instruction counter: a plugin for QEMU, compiled when a board is installed."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.emulated.parts import Parts, sha256_of
from pytest_edgebudget.errors import EdgeBudgetError

SOURCE = Path(__file__).with_name("counter.c")
COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden")
ENVIRONMENT = "EDGEBUDGET_COUNTS"
KINDS = ("whole numbers", "vectors", "8-bit products", "memory", "branches", "others")
INSTALL = "apt install gcc"


@dataclass(frozen=True, slots=True)
class Counts:
    """Instructions of one inference by kind, as in `KINDS`."""

    kinds: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.kinds)

    @property
    def words(self) -> str:
        """The shares in words; empty where kinds are not told apart."""
        if self.kinds[-1] == self.total:
            return ""
        shares = sorted(zip(self.kinds, KINDS, strict=True), reverse=True)
        return ", ".join(
            f"{count / self.total:.0%} {name}" for count, name in shares if count > self.total / 200
        )


@functools.cache
def counter_part() -> str:
    """The part that holds the counter, compiled from the source of this release."""
    return f"counter-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}"


def find_compiler() -> str | None:
    """A C compiler; None where there is none."""
    return next((path for name in COMPILERS if (path := shutil.which(name))), None)


def install_counter(parts: Parts) -> None:
    """
    Compile the counter; does nothing where it is done.

    Raises EdgeBudgetError where there is no compiler, or it fails.
    """

    def fill(folder: Path) -> Mapping[str, str]:
        compiler = find_compiler()
        if compiler is None:
            raise EdgeBudgetError(
                "there is no C compiler to build the instruction counter", INSTALL
            )
        command = [compiler, *FLAGS, "-o", str(folder / "counter.so"), str(SOURCE)]
        built = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if built.returncode:
            said = "\n  ".join(built.stderr.splitlines()[:4])
            raise EdgeBudgetError("the instruction counter cannot be compiled", said)
        return {SOURCE.name: sha256_of(SOURCE)}

    parts.make(counter_part(), fill)


class CountsFile:
    """The file at *path* into which the counter writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        self._file = path.open(encoding="ascii")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def skip(self) -> None:
        """What was written until now does not matter."""
        self._file.seek(0, os.SEEK_END)

    def inferences(self) -> Sequence[Counts]:
        """
        The inferences since `skip`: two lines each, before and after.

        Raises CannotTell where the counter wrote nothing that makes sense.
        """
        rows = [[int(word) for word in line.split()][: len(KINDS)] for line in self._file]
        if not rows or len(rows) % 2:
            raise CannotTell(f"the instruction counter wrote {len(rows)} lines: it did not work")
        pairs = zip(rows[::2], rows[1::2], strict=True)
        return [
            Counts(tuple(b - a for a, b in zip(before, after, strict=True)))
            for before, after in pairs
        ]
