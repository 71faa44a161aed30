"""A raw conversation with the worker, without the device code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest_edgebudget.worker

FOLDER = Path(pytest_edgebudget.worker.__file__).parent


class Talk:
    """One worker; `ask` returns its last reply as it is."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-E", "-B", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, op: str, **parameters: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"op": op, "limit": 60, **parameters}) + "\n")
        self.process.stdin.flush()
        while "progress" in (reply := json.loads(self.process.stdout.readline())):
            pass
        return dict(reply)

    def ok(self, op: str, **parameters: Any) -> dict[str, Any]:
        reply = self.ask(op, **parameters)
        assert "ok" in reply, reply
        return dict(reply["ok"])

    def open(self, runtime: str, model: Path, threads: int = 1) -> dict[str, Any]:
        self.ok("hello", runtime=runtime)
        return self.ok("load", path=str(model), threads=threads)

    def run(self, data: Path, out: Path, state: str = "reset", **more: Any) -> dict[str, Any]:
        """The outputs of the test split by name."""
        import numpy as np

        reply = self.ok("run", data=str(data), split="test", outputs=str(out), state=state, **more)
        with np.load(out) as arrays:
            return {name: arrays[str(i)] for i, name in enumerate(reply["names"])}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
