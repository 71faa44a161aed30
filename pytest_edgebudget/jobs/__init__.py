"""
Functions in a process of their own: conversion, optimization, users' code.

TensorFlow takes seconds and 700 MB to import and its converter can segfault on
a model; a user's function may do anything. Neither may take pytest with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pytest_edgebudget.errors import BuildError, EdgeBudgetError, MissingExtra, ModelError

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
"""What may cross from one process to another."""

QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # its fused kernels round differently from CPU to CPU
    "CUDA_VISIBLE_DEVICES": "-1",  # the same result with and without a GPU
    "PYTHONHASHSEED": "0",
    "PYTHONWARNINGS": "ignore",  # of libraries; PYTHONWARNINGS=error is meant for users' tests
}
TAIL_LINES = 6
LISTEN = 0.5
"""Seconds between two looks at a child's progress."""


def run(
    function: str,
    payload: Mapping[str, JSON],
    *,
    root: Path,
    timeout: float,
    purpose: str,
    tidy: bool = True,
    late: str = "",
    say: Callable[[str], None] | None = None,
) -> JSON:
    """
    Call *function* with *payload* in a child process and return its result.

    Args:
        function: "module:qualname"; takes the payload, returns plain JSON values.
        payload: the only argument.
        root: put first on the child's ``sys.path``; its working folder.
        timeout: seconds until the child and all its children are killed.
        purpose: what is being done, as in "while converting models/kws.keras".
        tidy: whether the child's temporary files go with it: when it is killed it
            removes none. False where the result may name one of them.
        late: what to do when the time was up, for the error.
        say: is told each line that the function appends to the file
            ``payload["progress"]``, while it runs.

    Raises:
        BuildError: the function raised, its process died, or the time was up.
        ModelError, MissingExtra: raised by the function itself.
    """
    with tempfile.TemporaryDirectory(prefix="edgebudget-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        progress = folder / "progress.txt"
        request: dict[str, JSON] = {
            "function": function,
            "payload": {**payload, **({"progress": str(progress)} if say else {})},
            "root": str(root),
            "path": [entry for entry in sys.path if entry],
            "reply": str(folder / "reply.json"),
        }
        environment = {**os.environ, **QUIET}
        if tidy:
            (folder / "tmp").mkdir()
            environment["TMPDIR"] = str(folder / "tmp")
        limit = _Limit(timeout, purpose, late)
        heard = _Heard(progress, say) if say else None
        status = _run_child(request, folder / "log.txt", environment, root, limit, heard)
        return _result(folder, status, purpose)


@dataclass(frozen=True, slots=True)
class _Limit:
    """So many *seconds* for a *purpose*, and what to do when they are over."""

    seconds: float
    purpose: str
    late: str

    def over(self, log: Path) -> BuildError:
        hint = self.late or _last_words(log) or "it may need longer on this machine, or hang"
        return BuildError(f"stopped after {self.seconds:g} s while {self.purpose}", hint)


@dataclass(slots=True)
class _Heard:
    """Passes on what a child appends to a *file*, each whole line once."""

    file: Path
    say: Callable[[str], None]
    done: int = 0

    def listen(self) -> None:
        with contextlib.suppress(OSError):
            with self.file.open("rb") as file:
                file.seek(self.done)
                lines = file.read()
            whole = lines[: lines.rfind(b"\n") + 1]
            self.done += len(whole)
            for line in whole.decode(errors="replace").splitlines():
                self.say(line)


def _run_child(
    request: dict[str, JSON],
    log: Path,
    environment: Mapping[str, str],
    root: Path,
    limit: _Limit,
    heard: _Heard | None,
) -> int:
    # The pipe stays open while we live: its end tells the child that we are gone.
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-P", "-m", "pytest_edgebudget.jobs"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=root,
            env=environment,
            start_new_session=True,
        ) as child,
    ):
        try:
            _send(child, request)
            return _wait(child, limit.seconds, heard)
        except subprocess.TimeoutExpired:
            raise limit.over(log) from None
        finally:
            _kill(child)


def _wait(child: subprocess.Popen[bytes], seconds: float, heard: _Heard | None) -> int:
    if heard is None:
        return child.wait(seconds)
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        try:
            status = child.wait(max(min(LISTEN, left), 0))
            heard.listen()  # to what it said since the last look
            return status
        except subprocess.TimeoutExpired:
            heard.listen()
            if left <= 0:
                raise


def _send(child: subprocess.Popen[bytes], request: dict[str, JSON]) -> None:
    assert child.stdin is not None
    try:
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()
    except BrokenPipeError:  # it died at once: its status and its log say why
        return


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    if sys.platform == "win32":
        child.kill()
    else:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _result(folder: Path, status: int, purpose: str) -> JSON:
    try:
        reply = json.loads((folder / "reply.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        raise _death(status, _last_words(folder / "log.txt"), purpose) from None
    if "error" in reply:
        raise _error(reply["error"], purpose)
    value: JSON = reply["value"]
    return value


def _death(status: int, words: str, purpose: str) -> BuildError:
    if status >= 0:
        return BuildError(f"the process ended with exit status {status} while {purpose}", words)
    name = signal.Signals(-status).name
    hint = words
    if name == "SIGKILL":
        hint = "the system kills a process so when memory runs out"
    return BuildError(f"killed by {name} ({-status}) while {purpose}", hint)


def _error(error: Mapping[str, str], purpose: str) -> EdgeBudgetError:
    kind, message, hint = error["kind"], error["message"], error["hint"]
    if kind == "MissingExtra":
        return MissingExtra(error["library"], error["extra"], error["purpose"])
    if kind == "ModelError":
        return ModelError(message, hint)
    if kind == "BuildError":
        return BuildError(message, hint)
    return BuildError(f"while {purpose}: {message}", hint)


def _last_words(log: Path) -> str:
    """The last lines that the child printed; they often name the culprit."""
    text = log.read_bytes()[-4000:].decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "\n  ".join(lines[-TAIL_LINES:])
