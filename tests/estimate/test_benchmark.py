"""The benchmark of estimates runs on published rows, and says so where there are none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from pytest_edgebudget.estimate.rows import SHIPPED

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "estimates.py"


def run(*arguments: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    environment.pop("EDGEBUDGET_REFERENCE", None)
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment, timeout=120
    ).stdout


def test_without_rows_it_says_what_to_name() -> None:
    assert run().startswith("no published rows: name the folder")


def test_the_gpu_pool_is_better_than_macs_alone() -> None:
    line = next(line for line in run(str(SHIPPED), "gpu").splitlines() if line.startswith("| gpu "))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    estimate, macs = (float(re.split(r" */ *", cell)[0]) for cell in (cells[3], cells[5]))
    assert estimate < macs / 2
