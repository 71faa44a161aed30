"""The worker's operations over a connection, with typed values and our errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pytest_edgebudget.devices.base import CannotTell, Files, Loaded, LocalFiles, Port, Samples
from pytest_edgebudget.devices.connection import Connection, Refused
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import (
    DataError,
    DeviceError,
    EdgeBudgetError,
    MissingExtra,
    ModelError,
)
from pytest_edgebudget.graph.arena import ArenaRun
from pytest_edgebudget.worker.acceleration import NOTHING, Acceleration

NS = 1e9  # in a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds until an answer or a sign of progress, by what is being done."""

    start: float = 60
    load: float = 120
    run: float = 300
    time: float = 600

    def times(self, factor: float) -> Limits:
        """Limits of a worker that is so many times slower."""
        return Limits(
            start=self.start * factor,
            load=self.load * factor,
            run=self.run * factor,
            time=self.time * factor,
        )


class WorkerClient:
    """
    A worker behind *connection*; see `base.Worker`.

    *python* is its interpreter; *asked* is what shall run models beside the CPU.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        runtime: str,
        threads: int,
        python: str,
        limits: Limits,
        files: Files | None = None,
        asked: Acceleration = NOTHING,
    ) -> None:
        self._connection = connection
        self._runtime = runtime
        self._threads = threads
        self._python = python
        self._limits = limits
        self._files = files or LocalFiles()
        self._asked = asked
        self._model = "no model"

    @property
    def pid(self) -> int:
        """The process id of the worker."""
        return self._connection.pid

    def hello(self) -> dict[str, Any]:
        """Start the runtime; what the worker says about itself and its machine."""
        doing = f"importing {self._runtime}"
        accelerated = asdict(self._asked) if self._asked else {}
        return self._ask("hello", doing, self._limits.start, runtime=self._runtime, **accelerated)

    def load(self, model: Path) -> Loaded:
        """Load and allocate *model*."""
        self._model = model.name
        reply = self._ask(
            "load",
            f"loading {self._model}",
            self._limits.load,
            path=self._files.put(model),
            threads=self._threads,
        )
        inputs = tuple(Port(each["name"], each["tensor"]) for each in reply["inputs"])
        outputs = tuple(each["name"] for each in reply["outputs"])
        return Loaded(inputs, outputs, reply["ns"] / NS)

    def run(self, samples: Samples, state: str, outputs: Path) -> None:
        """Run samples of a data file one by one."""
        self._ask(
            "run",
            f"running x_{samples.split} through {self._model}",
            self._limits.run,
            data=self._files.put(samples.path),
            split=samples.split,
            first=samples.first,
            outputs=self._files.out(outputs),
            state=state,
        )
        self._files.fetch(outputs)

    def time(self, runs: int, warmup: int = 0) -> tuple[float, ...]:
        """Seconds of each invoke."""
        doing = f"timing {self._model}"
        reply = self._ask("time", doing, self._limits.time, runs=runs, warmup=warmup)
        return tuple(ns / NS for ns in reply["ns"])

    def pair(self, models: Sequence[Path], samples: Samples | None) -> None:
        """Load models side by side, the first sample in place where there is one."""
        names = " and ".join(dict.fromkeys(model.name for model in models))
        self._model = names
        data = (
            {}
            if samples is None
            else {"data": self._files.put(samples.path), "split": samples.split}
        )
        self._ask(
            "pair", f"loading {names}", self._limits.load,
            paths=[self._files.put(model) for model in models], threads=self._threads, **data,
        )  # fmt: skip

    def interleave(
        self, order: Sequence[int], runs: Sequence[int]
    ) -> tuple[tuple[float, ...], ...]:
        """Seconds of each invoke, block by block; *runs* of each model in its blocks."""
        doing = f"timing {self._model}"
        asked = {"order": list(order), "runs": list(runs)}
        reply = self._ask("interleave", doing, self._limits.time, **asked)
        return tuple(tuple(ns / NS for ns in block) for block in reply["ns"])

    def count(self, runs: int) -> None:
        """Invoke *runs* times with marks around each, for a counter outside of the worker."""
        self._ask("count", f"counting {self._model}", self._limits.time, runs=runs)

    def memory(self, model: Path) -> tuple[int, int]:
        """Bytes that *model* adds: peak anonymous, touched mapping."""
        self._model = model.name
        doing = f"weighing {self._model}"
        reply = self._ask(
            "memory",
            doing,
            self._limits.load,
            path=self._files.put(model),
            threads=self._threads,
        )
        return reply["anonymous"], reply["mapped"]

    def arena(self, model: Path) -> ArenaRun:
        """The smallest arena in which *model* runs, and its two parts."""
        self._model = model.name
        doing = f"looking for the smallest arena of {self._model}"
        return ArenaRun(**self._ask("arena", doing, self._limits.load, path=self._files.put(model)))

    def placement(self) -> dict[str, Any]:
        """What runs where of the loaded model; see ``worker.runtimes.base.Placed``."""
        doing = f"looking where {self._model} runs"
        return self._ask("placement", doing, self._limits.run)

    def _ask(self, op: str, doing: str, limit: float, **parameters: Any) -> dict[str, Any]:
        try:
            return self._connection.request(op, doing=doing, limit=limit, **parameters)
        except Refused as refused:
            raise self._error(refused, doing) from None

    def _error(self, refused: Refused, doing: str) -> EdgeBudgetError:
        """The worker's refusal as an error of ours, by whose fault it is."""
        if refused.kind == "missing":
            return missing_runtime(self._runtime, self._python)
        if refused.kind in ("model", "data"):
            kind = DataError if refused.kind == "data" else ModelError
            return kind(f"{self._model}: {refused.message}", refused.hint)
        if refused.kind == "platform":
            return CannotTell(refused.message, refused.hint)
        return DeviceError(f"{refused.message} while {doing}", refused.hint)


def missing_runtime(runtime: str, python: str = "") -> MissingExtra:
    """The error for a runtime that is not installed; *python* when not in ours."""
    info = RUNTIMES[runtime]
    where = f" in {python}" if python else ""
    formats = " and ".join(f".{fmt}" for fmt in info.formats)
    error = MissingExtra(info.distribution, info.extra, f"running {formats} models{where}")
    if python:
        error.hint = f"{python} -m pip install {info.distribution} numpy"
    return error
