"""Generated programs compiled by this machine's own gcc: the same C, many in one program."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_edgebudget.devices import cortex_m
from pytest_edgebudget.devices.cortex_m.generator import Program, Slot

SUPPORT = Path(cortex_m.__file__).parent / "c"
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
FLAGS = ["-std=c11", "-ffreestanding", "-fwrapv", f"-I{SUPPORT}", *WARNINGS]
CHECKED = ["-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"]

MAIN = """
#include <stdint.h>
#include <stdio.h>
typedef struct { int offset, size; } slot;
typedef struct {
  int8_t *arena; void (*const *layers)(void); const int32_t *count; int samples;
  slot in[4]; slot out[1];
} model;
DECLARED
static const model models[] = {MODELS};
int main(void) {
  for (unsigned m = 0; m < sizeof models / sizeof *models; m++)
    for (int sample = 0; sample < models[m].samples; sample++) {
      for (const slot *in = models[m].in; in->size; in++)
        if (fread(models[m].arena + in->offset, 1, in->size, stdin) != (size_t)in->size) return 1;
      for (int32_t i = 0; i < *models[m].count; i++) models[m].layers[i]();
      fwrite(models[m].arena + models[m].out->offset, 1, models[m].out->size, stdout);
    }
  return 0;
}
"""

Sample = list[np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Job:
    """A program with one output and up to three inputs, and what to run through it."""

    program: Program
    samples: Sequence[Sample]


class Here:
    """A folder with the kernels, compiled once with gcc's checks for undefined behaviour."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        gcc = shutil.which("gcc")
        if gcc is None:
            pytest.skip("gcc is not installed: apt-get install gcc")
        self.gcc = gcc
        for name in ("kernels", "softmax"):
            self._compile(*CHECKED, "-c", str(SUPPORT / f"{name}.c"), "-o", f"{name}.o")

    def run(self, jobs: Sequence[Job]) -> list[list[bytes]]:
        """The output's bytes for each sample of each job."""
        for number, job in enumerate(jobs):
            self._write(number, job.program)
        declared = "\n".join(
            f"extern int8_t m{i}_arena[]; extern void (*const m{i}_layers[])(void); "
            f"extern const int32_t m{i}_layer_count;"
            for i in range(len(jobs))
        )
        rows = ", ".join(_row(number, job) for number, job in enumerate(jobs))
        main = MAIN.replace("DECLARED", declared).replace("MODELS", rows)
        (self.folder / "main.c").write_text(main)
        files = [f"m{i}.{ending}" for i in range(len(jobs)) for ending in ("c", "S")]
        self._compile("-O0", "-fsanitize=address,undefined", "main.c", *files, "kernels.o", "softmax.o", "-o", "all")  # fmt: skip
        return self._answers(jobs)

    def _answers(self, jobs: Sequence[Job]) -> list[list[bytes]]:
        given = b"".join(a.tobytes() for job in jobs for sample in job.samples for a in sample)
        done = subprocess.run(
            [str(self.folder / "all")], input=given, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        found, at = [], 0
        for job in jobs:
            width = job.program.outputs[0].size
            starts = [at + i * width for i in range(len(job.samples))]
            found.append([done.stdout[start : start + width] for start in starts])
            at += width * len(job.samples)
        assert at == len(done.stdout)
        return found

    def _write(self, number: int, program: Program) -> None:
        """The program's files, with names of its own."""
        (self.folder / f"m{number}.bin").write_bytes(program.data)
        assembly = program.assembly.replace("weights.bin", f"m{number}.bin")
        (self.folder / f"m{number}.S").write_text(_renamed(assembly, number))
        (self.folder / f"m{number}.c").write_text(_renamed(program.source, number))

    def _compile(self, *arguments: str) -> None:
        done = subprocess.run(
            [self.gcc, *FLAGS, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def _renamed(text: str, number: int) -> str:
    for name in (
        "edge_arena",
        "edge_layers",
        "edge_layer_count",
        "edge_k",
        "edge_weights:",
        "edge_weights +",
    ):
        text = text.replace(name, name.replace("edge", f"m{number}", 1))
    return text.replace('#include "program.h"', "")


def _row(number: int, job: Job) -> str:
    slots = [*job.program.inputs, Slot(job.program.outputs[0].tensor, 0, 0)]
    inputs = ", ".join(f"{{{slot.offset}, {slot.size}}}" for slot in slots)
    out = job.program.outputs[0]
    return (
        f"{{m{number}_arena, m{number}_layers, &m{number}_layer_count, {len(job.samples)}, "
        f"{{{inputs}}}, {{{{{out.offset}, {out.size}}}}}}}"
    )


def random_samples(program: Program, count: int, seed: int) -> list[Sample]:
    """All numbers that the inputs may hold, the ends among them."""
    draw = np.random.default_rng(seed)
    return [[_values(draw, slot, turn) for slot in program.inputs] for turn in range(count)]


def _values(draw: np.random.Generator, slot: Slot, turn: int) -> np.ndarray[Any, Any]:
    shape = slot.tensor.default_shape or slot.tensor.shape
    if slot.tensor.dtype == "float32":
        return draw.normal(0, 5, shape).astype(np.float32)
    if turn == 0:
        return np.full(shape, draw.choice([-128, 127]), np.int8)
    return draw.integers(-128, 128, shape, dtype=np.int8)
