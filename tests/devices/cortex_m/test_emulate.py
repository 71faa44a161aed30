"""The same programs on emulated cores: answers, instructions, stack; counted by a second tool."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices.cortex_m import emulate
from pytest_edgebudget.devices.cortex_m.boards import CORES
from pytest_edgebudget.devices.cortex_m.build import Builder, Built, Memory
from pytest_edgebudget.devices.cortex_m.tools import Keeper
from pytest_edgebudget.errors import DeviceError
from tests.devices.cortex_m.here import random_samples
from tests.devices.cortex_m.one_op import MAKERS, network, visual_wake_words
from tests.devices.cortex_m.runtimes import micro
from tests.devices.cortex_m.tools import needs_tools

pytestmark = needs_tools
ROOMY = Memory(1 << 20, 256 << 10)
LIMIT = 120.0


@pytest.fixture(scope="module")
def keeper() -> Iterator[Keeper]:
    with Keeper() as keeper:
        yield keeper


Make = Callable[[bytes, str], Built]


@pytest.fixture
def make(keeper: Keeper, tmp_path: Path) -> Iterator[Make]:
    """Compiles a model for a core."""
    builders = []

    def built(model: bytes, core: str) -> Built:
        path = tmp_path / "model.tflite"
        path.write_bytes(model)
        builders.append(Builder(CORES[core], ROOMY))
        return builders[-1].build(graph.read(path), "sha", keeper)

    yield built
    for builder in builders:
        builder.close()


ALIKE = ("Cortex-M0", "Cortex-M1", "Cortex-M23", "Cortex-M35P")
"""Cores whose board and instructions another one has, too."""


@pytest.mark.parametrize(
    "core", [pytest.param(c, marks=pytest.mark.slow if c in ALIKE else ()) for c in CORES]
)
def test_every_core_answers_to_the_bit_and_counts_the_same_at_every_run(
    core: str, keeper: Keeper, make: Make
) -> None:
    times = 3 if core == "Cortex-M4" else 2
    program = make(network(), core)
    samples = random_samples(program.program, 3, seed=2)
    given = [sample[0].tobytes() for sample in samples]
    run = emulate.answers(program, given, keeper, LIMIT)
    counts = {emulate.instructions(program, given[1], keeper, LIMIT) for _ in range(times)}

    assert list(run.outputs) == micro(network(), samples)
    assert 40 <= run.stack < 1024
    assert len(counts) == 1
    layers = dict(zip((p.kind for p in program.program.layers), counts.pop(), strict=True))
    assert layers["CONV_2D"] > 64 * 8 * 4  # at least one a product: 8 x 8 x 8 sums of 4 to 9
    assert layers["FULLY_CONNECTED"] > 4 * 128
    assert layers["RESHAPE"] >= 128  # bytes


@pytest.mark.parametrize("kind", ["mul", "quantize", "dequantize", "pad", "concatenation", "mean"])
def test_layers_that_no_reference_model_has_run_on_the_smallest_core(
    kind: str, keeper: Keeper, make: Make
) -> None:
    """Cortex-M0+: no division, no long multiplication, no floats, no unaligned words."""
    model = MAKERS[kind](7)
    program = make(model, "Cortex-M0+")
    samples = random_samples(program.program, 3, seed=3)
    given = [b"".join(value.tobytes() for value in sample) for sample in samples]
    outputs = emulate.answers(program, given, keeper, LIMIT).outputs

    assert list(outputs) == micro(model, samples)


def test_the_architecture_of_visual_wake_words_answers_to_the_bit(
    keeper: Keeper, make: Make
) -> None:
    """MLPerf Tiny's fourth model, with weights drawn at random."""
    model = visual_wake_words()
    program = make(model, "Cortex-M4")
    samples = random_samples(program.program, 2, seed=4)
    run = emulate.answers(program, [sample[0].tobytes() for sample in samples], keeper, LIMIT)

    assert list(run.outputs) == micro(model, samples)
    assert len(set(run.outputs)) > 1
    assert len(program.program.layers) == 31


PLUGIN = """
#include <stdint.h>
#include <stdio.h>
#include <stddef.h>
__attribute__((visibility("default"))) int qemu_plugin_version = 1;
size_t qemu_plugin_tb_n_insns(const void *);
void *qemu_plugin_tb_get_insn(const void *, size_t);
uint64_t qemu_plugin_insn_vaddr(const void *);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t, void (*)(uint64_t, void *));
void qemu_plugin_register_vcpu_insn_exec_inline(void *, int, void *, uint64_t);
void qemu_plugin_register_atexit_cb(uint64_t, void (*)(uint64_t, void *), void *);
static uint64_t counts[1 << 21];
static void translated(uint64_t id, void *tb) {
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
    void *insn = qemu_plugin_tb_get_insn(tb, i);
    uint64_t at = qemu_plugin_insn_vaddr(insn) >> 1;
    if (at < 1 << 21) qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &counts[at], 1);
  }
}
static void ended(uint64_t id, void *data) {
  FILE *file = fopen("counts.txt", "w");
  for (size_t at = 0; at < 1 << 21; at++)
    if (counts[at]) fprintf(file, "%zu %llu\\n", at << 1, (unsigned long long)counts[at]);
  fclose(file);
}
__attribute__((visibility("default")))
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv) {
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, ended, NULL);
  return 0;
}
"""


@pytest.mark.parametrize("core", ["Cortex-M0+", "Cortex-M4", "Cortex-M7"])
def test_instructions_are_those_that_qemus_own_plugin_interface_counts(
    core: str, keeper: Keeper, make: Make
) -> None:
    """Each instruction by its address, summed up over the functions of the model."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("gcc is not installed: apt-get install gcc")
    program = make(network(), core)
    given = random_samples(program.program, 1, seed=2)[0][0].tobytes()
    mine = sum(emulate.instructions(program, given, keeper, LIMIT))
    emulate.answers(program, [given], keeper, LIMIT)  # leaves its files
    (program.folder / "plugin.c").write_text(PLUGIN)
    run = [gcc, "-O1", "-fPIC", "-shared", "-w", "plugin.c", "-o", "plugin.so"]
    subprocess.run(run, cwd=program.folder, check=True)
    command = [*emulate.command(program.core.board, None), "-plugin", "./plugin.so"]
    subprocess.run(command, cwd=program.folder, check=True, capture_output=True, timeout=LIMIT)
    counted = of_the_model(program.folder)

    assert mine == counted


def of_the_model(folder: Path) -> int:
    """What was counted outside of the bench's own functions."""

    def symbols(file: str) -> list[list[str]]:
        command = ["arm-none-eabi-nm", "-S", "--defined-only", file]
        said = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        return [line.split() for line in said.stdout.splitlines()]

    own = {row[-1] for row in symbols("bench.o") if row[-2] in "tT"}
    functions = [row for row in symbols("bench.elf") if len(row) == 4 and row[2] in "tT"]
    bench = [(int(r[0], 16) & ~1, int(r[1], 16)) for r in functions if r[3] in own]
    assert len(bench) > 8
    total = 0
    for line in (folder / "counts.txt").read_text().splitlines():
        address, count = map(int, line.split())
        if not any(start <= address < start + size for start, size in bench):
            total += count
    return total


def test_a_board_that_stops_in_the_middle_is_an_error_of_the_device(
    keeper: Keeper, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds no samples where it looks, and resets the board."""
    program = make(network(), "Cortex-M4")
    monkeypatch.setattr(emulate, "MAGIC", 0)
    with pytest.raises(DeviceError, match="stopped in the middle of its answers"):
        emulate.answers(program, [bytes(64)], keeper, LIMIT)


def test_a_fault_of_the_program_is_told_with_its_address(keeper: Keeper, make: Make) -> None:
    """An address without memory, in the place of the first layer's input."""
    program = make(network(), "Cortex-M4")
    source = (program.folder / "model.c").read_text()
    where = source.index("edge_arena + ", source.index("static void layer_0"))
    end = source.index(")", where)
    broken = source[:where] + "0x90000000" + source[end:]
    (program.folder / "model.c").write_text(broken)
    from pytest_edgebudget.devices.cortex_m.build import _Job

    job = _Job(program.folder, program.core, keeper)
    job._compile(["model.c"], "-Os")
    job._link("bench", 1 << 22, 1 << 22, more=("slots.o",))
    with pytest.raises(DeviceError, match="failed at address 0x"):
        emulate.answers(program, [bytes(64)], keeper, LIMIT)


def test_a_program_that_never_ends_is_stopped(keeper: Keeper, make: Make) -> None:
    program = make(network(), "Cortex-M4")
    shutil.copy(program.folder / "firmware.elf", program.folder / "bench.elf")
    with pytest.raises(DeviceError, match="took too long"):
        emulate.answers(program, [bytes(64)], keeper, 2.0)
