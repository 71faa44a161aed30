"""
Models side by side, timed in turns: ``python -E -B racing.py``, a worker of its own.

The ordinary worker is not this one: whatever it compiles and holds besides shows
in the memory of a model that it weighs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .operations import Operations
    from .runtimes.base import Model


class Pairs:
    """The models beside each other; *work* opens and runs them."""

    def __init__(self, work: Operations) -> None:
        self._work = work
        self._models: list[Model] = []

    def pair(
        self, paths: Sequence[str], threads: int, data: str = "", split: str = "test"
    ) -> dict[str, Any]:
        """Load models side by side; the first sample is put into those that it fits, else zeros."""
        from . import samples
        from .refusal import Refusal

        self._models = []
        for path in paths:
            model = self._work._open(path, threads)
            with contextlib.suppress(Refusal):
                inputs = samples.read_inputs(data, split, model.inputs) if data else []
                for index, port in enumerate(model.inputs[: len(inputs)]):
                    model.set_input(index, samples.to_input(inputs[index][0], port))
            self._work._invoke(model)  # an error of the model is told here, not by a traceback
            self._models.append(model)
        return {}

    def interleave(self, order: Sequence[int], runs: Sequence[int]) -> dict[str, Any]:
        """
        Nanoseconds of each invoke, a list a block.

        *order* names the models of `pair` (from 0) of the blocks, *runs* how many
        invokes are a block of each. One before them brings the model back into the caches.
        """
        from . import clock
        from .refusal import Refusal

        models = self._models
        if not 0 <= min(order) <= max(order) < len(models):
            raise Refusal("request", "no model of that number: pair some first")
        return {"ns": [clock.time_invokes(models[i].invoke, runs[i], 1) for i in order]}


def main() -> None:
    """Answer requests until the parent closes the pipe; see `server.main`."""
    from . import server
    from .channel import Channel
    from .operations import Operations

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    server._leave_no_core()
    channel = Channel()
    work = Operations(channel.progress)
    pairs = Pairs(work)
    known: dict[str, server.Operation] = {
        "hello": work.hello,
        "pair": pairs.pair,
        "interleave": pairs.interleave,
    }
    for request in channel.requests():
        server._answer(channel, known, request)
    sys.stderr.flush()
    os._exit(0)


def _start() -> None:
    """As ``__main__`` starts the ordinary worker."""
    here = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != here]
    spec = importlib.util.spec_from_file_location("edgebudget_start", here / "__main__.py")
    assert spec is not None
    assert spec.loader is not None
    start = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(start)
    start._import_folder(here)
    importlib.import_module("edgebudget_worker.confine").confine()
    importlib.import_module("edgebudget_worker.racing").main()


if __name__ == "__main__":
    _start()
