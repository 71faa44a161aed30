"""
A stand-in for `edgetpu_compiler`: a script that writes a report in the published format.

The real one is closed and in no package index. The form of its words is that of the
reports in github.com/google-coral/edgetpu, issues 60, 189, 313, 342, 427 and 572.
"""

from __future__ import annotations

import sys
from pathlib import Path

VERSION = "16.0.384591198"
MAPPED = "Mapped to Edge TPU"
SUBGRAPH = "More than one subgraph is not supported"
LIMIT = "Operation is otherwise supported, but not mapped due to some unspecified limitation"

Rows = list[tuple[str, int, str]]

SCRIPT = """#!{python}
import pathlib, sys, time
assert sys.argv[1] == "-o" and len(sys.argv) == 4, sys.argv
folder, model = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
{before}
log = {log!r}
if log:
    (folder / (model.stem + "_edgetpu.tflite")).write_bytes(model.read_bytes())
    (folder / (model.stem + "_edgetpu.log")).write_text(log)
print({summary!r}, flush=True)
sys.exit({status})
"""


def summary(
    rows: Rows, *, on_chip: str = "3.33MiB", off_chip: str = "0.00B", subgraphs: int = 1
) -> str:
    """What the compiler prints."""
    total = sum(count for _, count, _ in rows)
    return f"""Edge TPU Compiler version {VERSION}
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 542 ms.

Input model: model.tflite
Input size: 4.08MiB
Output model: model_edgetpu.tflite
Output size: 4.23MiB
On-chip memory used for caching model parameters: {on_chip}
On-chip memory remaining for caching model parameters: 4.38MiB
Off-chip memory used for streaming uncached model parameters: {off_chip}
Number of Edge TPU subgraphs: {subgraphs}
Total number of operations: {total}
Operation log: model_edgetpu.log
See the operation log file for individual operation details.
Compilation child process completed within timeout period.
Compilation succeeded! """


def log(rows: Rows) -> str:
    """The operator log that it writes."""
    lines = [f"{kind:<30} {count:<10} {status}" for kind, count, status in rows]
    head = f"Edge TPU Compiler version {VERSION}\nInput: model.tflite\nOutput: model_edgetpu.tflite"
    return "\n".join([head, "", "Operator                       Count      Status", "", *lines, ""])


def install(
    folder: Path, summary: str, log: str = "", *, status: int = 0, before: str = "pass"
) -> Path:
    """Put the stand-in into a folder; *before* is what it does first."""
    path = folder / "edgetpu_compiler"
    words = SCRIPT.format(
        python=sys.executable, summary=summary, log=log, status=status, before=before
    )
    path.write_text(words)
    path.chmod(0o755)
    return path
