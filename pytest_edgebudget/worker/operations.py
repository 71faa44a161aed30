"""The worker's operations, a method each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic, perf_counter_ns
from typing import Any

import numpy as np

from . import clock, machine, memory, samples
from .acceleration import NOTHING, Acceleration, check
from .refusal import Refusal
from .runtimes import open_runtime
from .runtimes.base import Arenas, Array, Model, Placed, Runtime

PROGRESS_EVERY = 1.0  # seconds between signs of life
COUNT_WARMUP = 20  # invokes; after eight Python 3.11 has changed what it will


class Operations:
    """One runtime and one model at a time."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._runtime: Runtime | None = None
        self._model: Model | None = None
        self._asked = NOTHING

    def hello(
        self,
        runtime: str,
        delegate: str = "",
        provider: str = "",
        options: Mapping[str, str] | None = None,
        *,
        emulated: bool = False,
    ) -> dict[str, Any]:
        """Import *runtime*, with what accelerates it, and say what is here."""
        self._asked = Acceleration(delegate, provider, options or {}, emulated)
        self._runtime = open_runtime(runtime, self._asked)
        return {
            "runtime": self._runtime.name,
            "version": self._runtime.version,
            "numpy": np.__version__,
            "pid": os.getpid(),
            **machine.describe(),
        }

    def load(self, path: str, threads: int) -> dict[str, Any]:
        """Load and allocate a model: its inputs and outputs, and how long it took."""
        self._model = None
        start = perf_counter_ns()
        self._model = self._open(path, threads)
        taken = perf_counter_ns() - start
        return {
            "inputs": [port.describe() for port in self._model.inputs],
            "outputs": [port.describe() for port in self._model.outputs],
            "ns": taken,
        }

    def run(
        self, data: str, split: str, outputs: str, state: str, first: int | None = None
    ) -> dict[str, Any]:
        """
        Run the samples of *split* one by one; write output *i* as array *i* of *outputs*.

        *state* "reset" forgets the model's state before each sample, "carried" keeps it
        from one to the next, starting from none. *first*: only so many samples, evenly over all.
        """
        model = self._loaded()
        if state == "carried" and not self._named().keeps_state:
            raise Refusal("model", f"a model of {self._named().name} keeps no state to be carried")
        inputs = [
            samples.spread(each, first) for each in samples.read_inputs(data, split, model.inputs)
        ]
        if not len(inputs[0]):
            raise Refusal("data", f"x_{split} holds no samples")
        answers = self._answers(model, inputs, state)
        arrays = [
            samples.from_outputs([answer[index] for answer in answers], port)
            for index, port in enumerate(model.outputs)
        ]
        np.savez(outputs, **{str(index): array for index, array in enumerate(arrays)})
        return {"names": [port.name for port in model.outputs], "samples": len(inputs[0])}

    def _answers(self, model: Model, inputs: Sequence[Array], state: str) -> list[list[Array]]:
        answers, said, count = [], monotonic(), len(inputs[0])
        for sample in range(count):
            if state == "reset" or sample == 0:
                model.reset()
            for index, port in enumerate(model.inputs):
                model.set_input(index, samples.to_input(inputs[index][sample], port))
            self._invoke(model)
            answers.append([model.output(index) for index in range(len(model.outputs))])
            if monotonic() - said > PROGRESS_EVERY:
                said = monotonic()
                self._progress(f"sample {sample + 1} of {count}")
        return answers

    def time(self, runs: int, warmup: int) -> dict[str, Any]:
        """Nanoseconds of each invoke, with the inputs that are in place."""
        model = self._loaded()
        if isinstance(model, Placed) and model.software:
            raise Refusal("platform", f"the time of {model.accelerator} is not that of a GPU")
        if warmup:
            self._invoke(model)  # an error of the model is told here, not by a traceback
        return {"ns": clock.time_invokes(model.invoke, runs, max(0, warmup - 1))}

    def count(self, runs: int) -> dict[str, Any]:
        """
        Invoke *runs* times with marks around each, for a counter outside of the worker.

        The same is done with the bundled model before: Python changes how it goes
        through a loop, and calls, in their first rounds, and libraries see that.
        """
        model = self._loaded()
        self._invoke(model)  # an error of the model is told here, not by a traceback
        warm = self._open(str(Path(__file__).parent / self._named().warm_model), 1)
        clock.mark_invokes(warm.invoke, COUNT_WARMUP)
        clock.mark_invokes(model.invoke, runs)
        return {}

    def memory(self, path: str, threads: int) -> dict[str, Any]:
        """
        Bytes that the model adds to this worker, warmed on the bundled model.

        Loads the model, runs it twice on zeros, and keeps it loaded.
        """
        memory.need_linux()
        memory.steady_malloc()
        self._warm(threads)
        memory.settle()
        memory.reset_peak()
        before = memory.anonymous()
        self._model = self._open(path, threads)
        for _ in range(2):
            self._invoke(self._loaded())
        return {
            "anonymous": max(0, memory.peak_anonymous() - before),
            "mapped": memory.mapped(os.path.realpath(path)),
        }

    def arena(self, path: str) -> dict[str, Any]:
        """Bytes of the smallest arena in which the model runs, and of its two parts."""
        runtime = self._named()
        if not isinstance(runtime, Arenas):
            raise Refusal(
                "platform", f"{runtime.name} plans no arena of its own that could be tried"
            )
        return dict(runtime.arena(path, self._progress))

    def placement(self) -> dict[str, Any]:
        """What runs where of the loaded model; see `Placed`."""
        model: object = self._model
        if isinstance(model, Placed):
            return {
                **model.placement(),
                "accelerator": model.accelerator,
                "software": model.software,
                "idle": model.idle,
            }
        raise Refusal("platform", f"{self._named().name} runs the model on the CPU alone")

    def _warm(self, threads: int) -> None:
        self._model = None
        model = self._open(str(Path(__file__).parent / self._named().warm_model), threads)
        for index in range(len(model.inputs)):
            self._invoke(model)
            model.output(index)

    def _open(self, path: str, threads: int) -> Model:
        runtime = self._named()
        try:
            model = runtime.load(path, threads)
            if isinstance(model, Placed):
                check(self._asked, model.accelerator, software=model.software)
            return model
        except Refusal:
            raise
        except Exception as error:
            raise Refusal(
                "model", f"{runtime.name} {runtime.version} refuses the model: {error_text(error)}"
            ) from error

    def _invoke(self, model: Model) -> None:
        try:
            model.invoke()
        except Exception as error:
            name = self._named().name
            raise Refusal("model", f"{name} fails to run the model: {error_text(error)}") from error

    def _named(self) -> Runtime:
        if self._runtime is None:
            raise Refusal("request", "no runtime: say hello first")
        return self._runtime

    def _loaded(self) -> Model:
        if self._model is None:
            raise Refusal("request", "no model: load one first")
        if isinstance(self._model, Placed) and self._model.idle:
            raise Refusal(
                "platform", f"{self._model.idle}, and the CPU's answers are not asked for"
            )
        return self._model


def error_text(error: BaseException) -> str:
    """An exception in one line."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
