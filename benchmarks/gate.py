"""
How fast the gate is, as ratios and differences measured in one run.

    python benchmarks/gate.py

1. Idle: `pytest --collect-only` with the plugin installed and no budgets,
   against `-p no:edgebudget`: CPU time in pairs, and modules imported.
2. A second run with nothing changed: ten models, static and accuracy limits;
   CPU and wall time, and which ML libraries the process imported.

Worker timing against a bare loop is in benchmarks/worker.py.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAIRS = 20
OTHERS = sorted(
    {point.name for point in importlib.metadata.entry_points(group="pytest11")} - {"edgebudget"}
)
ALONE = [word for name in OTHERS for word in ("-p", f"no:{name}")]  # no other plugin's time counts
LIBRARIES = (
    "numpy",
    "ai_edge_litert",
    "tflite_runtime",
    "onnx",
    "onnxruntime",
    "tensorflow",
    "keras",
)

MODULES = """
import sys, json
import pytest
code = pytest.main(sys.argv[1:])
json.dump(sorted(sys.modules), sys.stderr)
sys.exit(code)
"""


def cpu_of(command: list[str], cwd: Path) -> tuple[float, float]:
    """CPU and wall seconds of one process."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 5):
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall


def modules_of(arguments: list[str], cwd: Path) -> set[str]:
    """Names of the modules that a pytest process imported."""
    command = [sys.executable, "-c", MODULES, *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    return set(json.loads(done.stderr.strip().splitlines()[-1]))


def idle() -> None:
    """The plugin installed, no budgets asked for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
        options = [*ALONE, "--collect-only", "-q", "-p", "no:cacheprovider"]
        with_it = [sys.executable, "-m", "pytest", *options]
        without = [*with_it, "-p", "no:edgebudget"]
        differences, bare = [], []
        for index in range(PAIRS + 1):
            pair = [with_it, without] if index % 2 else [without, with_it]
            found = {id(each): cpu_of(each, folder)[0] for each in pair}
            if index:  # the first pair warms the disk
                differences.append(found[id(with_it)] - found[id(without)])
                bare.append(found[id(without)])
        added = modules_of(options, folder) - modules_of([*options, "-p", "no:edgebudget"], folder)
    median, base = statistics.median(differences), statistics.median(bare)
    print(
        f"idle: {1e3 * median:+.1f} ms CPU on {1e3 * base:.0f} ms ({100 * median / base:+.1f} %),"
    )
    print(f"      median of {PAIRS} pairs; {len(added)} modules: {', '.join(sorted(added))}")


def second_run() -> None:
    """Ten models, nothing changed since the first run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text("")
        (folder / "ten.toml").write_text(ten_models())
        options = [*ALONE, "--edge-budget", "ten.toml", "-q"]
        command = [sys.executable, "-m", "pytest", *options]
        first = cpu_of(command, folder)
        runs = [cpu_of(command, folder) for _ in range(5)]
        imported = modules_of(options, folder)
    cpu = statistics.median(run[0] for run in runs)
    wall = statistics.median(run[1] for run in runs)
    seen = [library for library in LIBRARIES if library in imported]
    print(f"second run, ten models: {cpu:.2f} s CPU, {wall:.2f} s wall, median of {len(runs)};")
    names = ", ".join(seen) or "none"
    print(f"      the first took {first[0]:.1f} s CPU; libraries imported: {names}")


def ten_models() -> str:
    """A budget file of ten models with static and accuracy limits."""
    digits = ROOT / "examples" / "digits"
    model = """
[models.m{i}]
path = "{digits}/digits.tflite"
data = "{digits}/data.npz"
optimize = ["none", "float16", "int8"]
budget = {{ size = "{kib} KiB", download_size = "64 KiB", parameters = 100_000, accuracy = 0.9 }}
"""
    tables = [model.format(i=i, digits=digits, kib=32 + i) for i in range(10)]
    return '[device]\nprofile = "raspberry-pi-4"\n' + "".join(tables)


if __name__ == "__main__":
    os.environ["PYTHONHASHSEED"] = "0"
    idle()
    second_run()
