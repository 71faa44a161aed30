"""The demo: budgets that are kept, then a copy with one limit tightened."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUDGET = ROOT / "budgets" / "pi4.toml"
LIMIT, TIGHTER = 'size          = "32 KiB"', 'size          = "16 KiB"'


def gate(budget: Path) -> int:
    """Run the gate as a user would; returns pytest's exit code."""
    shown = budget.relative_to(ROOT)
    print(f"\n$ pytest --edge-budget {shown}\n", flush=True)
    command = [sys.executable, "-m", "pytest", "--edge-budget", str(shown)]
    return subprocess.run([*command, "-p", "no:cacheprovider"], cwd=ROOT, check=False).returncode


def tightened() -> Path:
    """A copy of the budget and its lock in which one limit is tighter."""
    copy = ROOT / "out" / "tight.toml"
    copy.parent.mkdir(exist_ok=True)
    text = BUDGET.read_text()
    if LIMIT not in text:
        sys.exit(f"{BUDGET} has no line {LIMIT}: change it here, too")
    copy.write_text(text.replace(LIMIT, TIGHTER))
    shutil.copy(BUDGET.with_suffix(".lock.json"), copy.with_suffix(".lock.json"))
    return copy


def main() -> int:
    """Show both; fails unless the first is kept and the second broken."""
    kept = gate(BUDGET)
    print("\nNow a copy in which the digits may take 16 KiB only:", flush=True)
    broken = gate(tightened())
    if (kept, broken) != (0, 1):
        print(f"the demo went wrong: exit codes {kept}, {broken} instead of 0, 1")
        return 1
    print("\nThe first budget is kept, the second is broken: that is the gate.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
