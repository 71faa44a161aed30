"""
Instructions of one inference, by valgrind's callgrind.

Counting is switched on inside the runtime's invoke and dumped after each one:
the first packs and allocates, the later ones are alike to the instruction.
valgrind shows programs a CPU of its own (no AVX512, no VNNI): a count compares
a model with itself, never int8 with float.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.facts import InstructionFacts

RUNS = 3
_SUMMARY = re.compile(r"^summary: (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Session:
    """One program under callgrind; *command* goes before the program's own."""

    folder: Path
    command: tuple[str, ...]
    tool: str

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """What ``python -E`` would leave out is left out, and hashing is fixed."""
        kept = {key: v for key, v in inherited.items() if not key.startswith("PYTHON")}
        return {**kept, "PYTHONHASHSEED": "0"}

    def result(self) -> InstructionFacts:
        """The count of the last invoke, when the program has ended."""
        counts = self._counts()
        if len(counts) < RUNS:
            raise CannotTell(
                "callgrind saw no inference: the runtime's library does not show its functions"
            )
        return InstructionFacts(count=counts[-1], tool=self.tool)

    def _counts(self) -> list[int]:
        """Instructions of each invoke, first to last, from callgrind's dumps."""
        dumps = sorted(self.folder.glob("out.*"), key=lambda path: int(path.suffix[1:]))
        found = [_SUMMARY.search(path.read_text(encoding="utf-8")) for path in dumps]
        return [int(match[1]) for match in found if match]


@contextmanager
def session(invoke: str) -> Iterator[Session]:
    """
    Callgrind counting inside the function *invoke*.

    Raises CannotTell where valgrind is not installed.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise CannotTell("valgrind is not installed: apt install valgrind")
    with tempfile.TemporaryDirectory(prefix="edgebudget-") as name:
        yield Session(Path(name), _command(valgrind, invoke, Path(name)), _version(valgrind))


def _command(valgrind: str, invoke: str, folder: Path) -> tuple[str, ...]:
    return (
        valgrind,
        "--tool=callgrind",
        "--collect-atstart=no",
        f"--toggle-collect={invoke}",
        f"--dump-after={invoke}",
        f"--callgrind-out-file={folder / 'out'}",
    )


@functools.cache
def _version(valgrind: str) -> str:
    """Such as "valgrind-3.19.0"."""
    asked = subprocess.run([valgrind, "--version"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "valgrind"
