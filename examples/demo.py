"""The demo: budgets that are kept, then the same with one limit tightened."""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent

TIGHTER = """\
extends = "{budget}"

[models.digits.budget]
size = "16 KiB"
"""


def gate(budget: Path) -> int:
    """Run the gate as a user would; returns pytest's exit code."""
    shown = budget.relative_to(ROOT) if budget.is_relative_to(ROOT) else budget
    print(f"\n$ pytest --edge-budget {shown}\n", flush=True)
    command = [sys.executable, "-m", "pytest", "--edge-budget", str(budget)]
    return subprocess.run([*command, "-p", "no:cacheprovider"], cwd=ROOT, check=False).returncode


def main() -> int:
    """Show both; fails unless the first is kept and the second broken."""
    kept = gate(ROOT / "budgets" / "pi4.toml")
    with tempfile.TemporaryDirectory() as folder:
        tight = Path(folder, "tight.toml")
        tight.write_text(TIGHTER.format(budget=ROOT / "budgets" / "pi4.toml"))
        print("\nNow a copy in which the digits may take 16 KiB only:", flush=True)
        broken = gate(tight)
    if (kept, broken) != (0, 1):
        print(f"the demo went wrong: exit codes {kept}, {broken} instead of 0, 1")
        return 1
    print("\nThe first budget is kept, the second is broken: that is the gate.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
