"""
A process that compiles one model after the other: ``python -m ...ethos_u.child``.

Vela takes a third of a second to import and a hundredth to compile a small
model; it prints as it goes, and a hostile model may crash it. So it is imported
once, in a process of its own, which speaks JSON lines and ends with its parent.
"""

from __future__ import annotations

import csv
import ctypes
import os
import queue
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

MEMORY = 4 << 30
"""Bytes of address space. Vela takes some hundred MB for a model of 20 MB."""

SAID = 1 << 20
"""Characters of what Vela prints that are handed on: a line for each operator that it refuses."""


def main() -> None:
    """Answer requests until the parent closes the pipe, or is gone."""
    from pytest_edgebudget.worker.channel import Channel
    from pytest_edgebudget.worker.confine import confine

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    confine()
    _limit()
    channel = Channel()
    with tempfile.TemporaryDirectory(prefix="edgebudget-") as name:
        operations: dict[str, Callable[..., Any]] = {"hello": _hello, "compile": _compile}
        for request in _requests(channel, name):
            _answer(channel, operations[request.pop("op")], Path(name), request)
    os._exit(0)


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _requests(channel: Any, folder: str) -> Iterator[dict[str, Any]]:
    """
    Requests, read by a thread of its own.

    When the pipe ends while a model is being compiled, the parent is gone: the
    process ends at once, and takes its files along.
    """
    waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
    busy = threading.Event()
    threading.Thread(target=_read, args=(channel, waiting, busy, folder), daemon=True).start()
    while (request := waiting.get()) is not None:
        busy.set()
        yield request
        busy.clear()


def _read(channel: Any, waiting: Any, busy: threading.Event, folder: str) -> None:
    for request in channel.requests():
        waiting.put(request)
    if busy.is_set():
        _remove(folder)
        os._exit(1)
    waiting.put(None)


def _remove(folder: str) -> None:
    """Again while Vela, in the other thread, writes a file into what is being emptied."""
    import shutil

    for _ in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        if not Path(folder).exists():
            return


def _answer(channel: Any, operation: Callable[..., Any], folder: Path, request: Any) -> None:
    try:
        channel.reply(operation(folder, **request))
    except MemoryError:
        channel.refuse("memory", "Vela ran out of memory")
    except ModuleNotFoundError as error:
        channel.refuse("missing", str(error))
    except BaseException as error:  # whatever Vela raises (SystemExit, too), it is its answer
        channel.refuse("model", f"{type(error).__name__}: {' '.join(str(error).split())}"[:1500])


def _hello(folder: Path) -> dict[str, Any]:
    from ethosu.vela import vela

    return {"version": vela.__version__, "folder": str(folder)}


def _compile(folder: Path, model: str, arguments: list[str]) -> dict[str, Any]:
    """Compile; the paths that are returned last until the next request."""
    for old in folder.iterdir():
        old.unlink()
    return compile_here(Path(model), arguments, folder)


def compile_here(model: Path, arguments: list[str], folder: Path) -> dict[str, Any]:
    """
    Compile in this process, with files in an empty *folder*.

    Returns the summary and the cycles by operator as Vela's own tables have
    them, what it said, and the path of what it wrote. Raises RuntimeError with
    Vela's words where it refuses.
    """
    from ethosu.vela import vela

    link = folder / "model.tflite"  # names of users' files never reach Vela
    link.symlink_to(model)
    started = perf_counter()
    with _heard(folder / "said.txt") as said:
        status = vela.main([str(link), *arguments, f"--output-dir={folder}", *_TOLD])
    seconds = perf_counter() - started
    text = said()
    if status:
        raise RuntimeError(text.strip()[-1000:] or f"Vela ended with status {status}")
    return {
        "seconds": seconds,
        "said": text,
        "summary": _rows(next(folder.glob("model_summary_*.csv")))[0],
        "layers": _rows(folder / "model_per-layer.csv"),
        "model": str(folder / "model_vela.tflite"),
    }


_TOLD = ("--verbose-performance",)
"""What Vela shall tell beside its summary: cycles by operator, as a file."""


@contextmanager
def _heard(path: Path) -> Iterator[Callable[[], str]]:
    """What Vela prints, in Python and in C++, goes to a file; the function reads it."""
    kept, stream = os.dup(1), sys.stdout
    libc = ctypes.CDLL(None)
    with path.open("w+b", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        sys.stdout = open(os.dup(file.fileno()), "w", encoding="utf-8", errors="replace")  # noqa: SIM115, PTH123
        try:
            yield lambda: _text(path)
        finally:
            sys.stdout.close()
            libc.fflush(None)
            sys.stdout = stream
            os.dup2(kept, 1)
            os.close(kept)


def _text(path: Path) -> str:
    return path.read_bytes()[:SAID].decode("utf-8", errors="replace")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
