"""`edgetpu_compiler` where it is installed: run on a model, in a process that cannot outlive us."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pytest_edgebudget import jobs, locks
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.edge_tpu.report import Report, parse_report
from pytest_edgebudget.errors import BuildError

NAME = "edgetpu_compiler"
PATIENCE = 300.0  # seconds; its own limit is 180
MOST_MEMORY = 8 << 30
MOST_FILE = 2 << 30
MOST_WORDS = 1 << 20  # bytes of a report that are read


def find_compiler() -> str:
    """The compiler's program; empty where there is none."""
    return shutil.which(NAME) or ""


def compile_report(model: Path, compiler: str) -> Report:
    """
    What the compiler says of a ``.tflite``; the compiled model is thrown away.

    Raises CannotTell when it crashes, hangs, needs too much memory, or has no result.
    """
    payload = {"compiler": compiler, "model": str(model.resolve())}
    purpose = f"compiling {model.name} for the Edge TPU"
    with locks.busy(), tempfile.TemporaryDirectory(prefix="edgebudget-") as folder:
        try:
            found = jobs.run(
                f"{__name__}:compile_job",
                {**payload, "folder": folder},
                root=Path(folder),
                timeout=PATIENCE,
                purpose=purpose,
            )
        except BuildError as error:
            raise CannotTell(f"{NAME}: {error.message}", error.hint) from error
    assert isinstance(found, dict)
    return parse_report(str(found["summary"]), str(found["log"]))


def compile_job(payload: Mapping[str, str]) -> dict[str, str]:
    """In the child process: run the compiler; its words and its log."""
    folder = Path(payload["folder"])
    _limit()
    words = folder / "words.txt"
    with words.open("wb") as output:
        subprocess.run(
            [payload["compiler"], "-o", str(folder), payload["model"]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            check=False,  # what it says tells more than its status
        )
    logs = sorted(folder.glob("*.log"))
    return {"summary": _read(words), "log": _read(logs[0]) if logs else ""}


def _limit() -> None:
    """What the compiler may take of this machine."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE, MOST_FILE))


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MOST_WORDS).decode("utf-8", "replace")
