"""
A history of thirty commits with one true regression, and what the tools make of it.

    python benchmarks/history.py [OUT.html]

Makes a repository of examples/digits in a temporary folder. Each commit changes
something that costs nothing; one of them gives up the optimization. The gate
runs at every commit, as it would in CI. Then `edgebudget history` is printed,
and the HTML report of the last commit is written.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DIGITS = Path(__file__).parent.parent / "examples" / "digits"
COMMITS, GIVEN_UP = 30, 20
BUDGET = """\
[lint]
level = "off"
[device]
profile = "host"
[models.digits]
path = "digits.tflite"
data = "data.npz"
optimize = ["{recipe}"]
[models.digits.budget]
size = "128 KiB"
accuracy = {{ min = 0.96 }}
latency = "1 ms"
# commit {number}
"""


def run(folder: Path, *words: str) -> str:
    """One command in the project; its output."""
    names = {"NAME": "n", "EMAIL": "n@example.org"}
    who = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in names.items()}
    return subprocess.run(
        words, cwd=folder, check=True, capture_output=True, text=True, env={**os.environ, **who}
    ).stdout


def main() -> None:
    """Make the commits, gate each, show the history."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "history.html").absolute()
    edgebudget = str(Path(sys.executable).with_name("edgebudget"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text("")
        for file in ("digits.tflite", "data.npz"):
            shutil.copy(DIGITS / file, folder)
        run(folder, "git", "init", "-q", "-b", "main")
        for number in range(COMMITS):
            recipe = "none" if number >= GIVEN_UP else "int8"
            (folder / "host.toml").write_text(BUDGET.format(recipe=recipe, number=number))
            run(folder, "git", "add", "-A")
            run(folder, "git", "commit", "-q", "-m", f"commit {number}")
            run(folder, edgebudget, "check", "host.toml", "--report", f"html:{out}")
        commits = run(folder, "git", "log", "--reverse", "--format=%h").split()
        print(f"the optimization was given up at {commits[GIVEN_UP]}, commit {GIVEN_UP}\n")
        print(run(folder, edgebudget, "history"))
    print(f"wrote {out}")


if __name__ == "__main__":
    main()
