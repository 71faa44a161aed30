"""A device and workers whose times are written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pytest_edgebudget.devices import Worker, load_profile, profiles
from pytest_edgebudget.devices.base import Calm, CannotTell, Identity, Loaded, Port, Samples
from pytest_edgebudget.facts import InstructionFacts, Predictions
from pytest_edgebudget.types import DeviceChoice, Evidence


@dataclass(eq=False)
class FakeWorker:
    """Every run takes *seconds*."""

    seconds: float
    log: list[str]
    name: str

    def load(self, model: Path) -> Loaded:
        return Loaded((Port("x", "x"),), ("y",), 1.0)

    def run(self, samples: Samples, state: str, outputs: Path) -> None:
        self.log.append(f"{self.name} runs {samples.split} {samples.first}")

    def time(self, runs: int, warmup: int = 0) -> tuple[float, ...]:
        self.log.append(self.name)
        return (self.seconds,) * runs

    def memory(self, model: Path) -> tuple[int, int]:
        return round(self.seconds * 1000), 4096


@dataclass
class FakeDevice:
    """Fresh workers take the times of *seconds*, one after another; the last for all further."""

    seconds: list[float] = field(default_factory=lambda: [0.01])
    profile: str = "host"
    log: list[str] = field(default_factory=list)
    started: int = 0

    @property
    def choice(self) -> DeviceChoice:
        return DeviceChoice(profile=load_profile(profiles()[self.profile]), run="host")

    @property
    def formats(self) -> tuple[str, ...]:
        return ("tflite",)

    def evidence(self, facts: type) -> Evidence:
        return Evidence.MEASURED

    def source(self, facts: type) -> None:
        return None

    def repeats(self, facts: type) -> bool:
        return facts is Predictions

    @contextmanager
    def quiet(self) -> Iterator[Calm]:
        yield Calm()

    def close(self) -> None:
        pass

    def refusal(self, facts: type) -> str:
        return ""

    def runtime_for(self, fmt: str) -> str:
        return "litert"

    def identity(self, fmt: str) -> Identity:
        return Identity(runtime="litert", version="0", cpu="fake")

    @contextmanager
    def worker(self, fmt: str) -> Iterator[Worker]:
        seconds = self.seconds[min(self.started, len(self.seconds) - 1)]
        self.started += 1
        yield FakeWorker(seconds, self.log, f"w{self.started}")

    def instructions(self, model: Path, fill: Callable[[Worker], None]) -> InstructionFacts:
        raise CannotTell("no counter")
