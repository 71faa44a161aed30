"""
Verilog placed and routed on an FPGA of Lattice's ECP5 family, by open tools alone.

Yosys and nextpnr-ecp5 with Project Trellis make real bitstreams for these chips;
YoWASP brings both as WebAssembly, in wheels. Routed alone (out of context): the
pins, and what feeds the model, are not there.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError

CHIPS = {"ecp5-25k": "--25k", "ecp5-45k": "--45k", "ecp5-85k": "--85k"}
"""Chips as a profile names them, and as nextpnr-ecp5 does."""

PACKAGE = "CABGA381"
WANTED = 100  # MHz that the router is asked for
SEEDS = (1, 2, 3)
"""Each places anew: how much luck there is in a clock."""

CELLS = {
    "luts": ("TRELLIS_COMB",),
    "flip_flops": ("TRELLIS_FF",),
    "dsps": ("MULT18X18D",),
    "block_rams": ("DP16KD",),
}
"""What nextpnr's report calls them."""

# A table's style of ROM is Vivado's business: on an ECP5 none would be found.
_SCRIPT = """\
read_verilog -defer {sources}
hierarchy -top {top}
setattr -unset rom_style m:*
synth_ecp5 -top {top} -json netlist.json
"""


@dataclass(frozen=True, slots=True)
class Routed:
    """Cells by the names of `CELLS`, and hertz that each placement reaches."""

    cells: dict[str, int]
    clocks: tuple[float, ...]


def route(source: Path, top: str, chip: str) -> Routed:
    """
    Synthesize, place and route the Verilog in the folder *source*.

    Raises BuildError where a tool fails, as when the design does not fit.
    """
    files = sorted(path.relative_to(source).as_posix() for path in source.rglob("*.v"))
    for table in (source / "memfiles").glob("*.mem"):
        table.rename(source / table.name)  # is looked for where the tool runs
    script = _SCRIPT.format(sources=" ".join(files), top=top)
    (source / "synthesis.ys").write_text(script, encoding="utf-8")
    _tool("yosys", ["-q", "synthesis.ys"], source)
    reports = [_place(source, chip, seed) for seed in SEEDS]
    cells = {name: _used(reports[0], kinds) for name, kinds in CELLS.items()}
    return Routed(cells, tuple(_clock(report) for report in reports))


def _place(source: Path, chip: str, seed: int) -> dict[str, Any]:
    report = source / f"report{seed}.json"
    arguments = [CHIPS[chip], "--package", PACKAGE, "--json", "netlist.json", "--out-of-context"]
    arguments += ["--timing-allow-fail", "--freq", str(WANTED), "--seed", str(seed), "--quiet"]
    _tool("nextpnr_ecp5", [*arguments, "--report", report.name], source)
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def _used(report: dict[str, Any], kinds: tuple[str, ...]) -> int:
    return sum(int(report["utilization"].get(kind, {}).get("used", 0)) for kind in kinds)


def _clock(report: dict[str, Any]) -> float:
    """Hertz of the slowest clock: there is one."""
    return min(float(each["achieved"]) for each in report["fmax"].values()) * 1e6


def _tool(name: str, arguments: list[str], folder: Path) -> None:
    start = f"import sys, yowasp_{name} as tool; sys.exit(tool.run_{name}(sys.argv[1:]))"
    # In the job's own process group: whoever ends the job ends the tool.
    done = subprocess.run(
        [sys.executable, "-c", start, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).splitlines() or [f"exit status {done.returncode}"]
        said = next((line for line in lines if "ERROR" in line), lines[-1])
        raise BuildError(f"{name} fails: {said.strip()[:300]}")


def middle(clocks: tuple[float, ...]) -> float:
    """The clock of the placement in the middle."""
    return statistics.median(clocks)
