"""
What authors of extensions test with: the contract of a device, and a mock of one.

A device of yours keeps the contract when these tests pass::

    from pytest_edgebudget.testing import DeviceContract

    class TestFarm(DeviceContract):
        @pytest.fixture
        def device(self):
            return farm.WAY.open(DeviceChoice(profile=profile_named("raspberry-pi-4"), run="farm"))

        model = Path("tests/kws.tflite")
        data = Path("tests/kws.npz")          # with x_test
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget import facts
from pytest_edgebudget.devices import load_profile, profiles
from pytest_edgebudget.devices.base import (
    Calm,
    CannotTell,
    Device,
    Fill,
    Identity,
    Loaded,
    Port,
    Samples,
    Watch,
    Worker,
)
from pytest_edgebudget.errors import DeviceError, ModelError
from pytest_edgebudget.types import DeviceChoice, Evidence

KINDS = (
    facts.Predictions,
    facts.Timings,
    facts.MemoryFacts,
    facts.StartupFacts,
    facts.InstructionFacts,
    facts.PlanFacts,
    facts.FileFacts,
)
"""Facts that metrics ask of a device."""
GONE = 5.0  # seconds in which a process must have ended


class DeviceContract:
    """
    What every device keeps; subclass it, name it Test..., and give *device*, *model*, *data*.

    *model* runs on the device, *data* is an ``.npz`` with ``x_test`` for it. A
    device on which nothing runs skips what needs a run, with its own reason.
    """

    model: Path
    data: Path

    @pytest.fixture
    def device(self) -> Device:
        """The device; to be overridden."""
        raise NotImplementedError("give a fixture named device")

    @pytest.fixture(autouse=True)
    def _nothing_stays(self, device: Device) -> Iterator[None]:
        """No process outlives its device."""
        before = descendants()
        yield
        device.close()
        end = time.monotonic() + GONE
        while (left := descendants() - before) and time.monotonic() < end:
            time.sleep(0.05)
        assert not left, f"still there after close(): processes {sorted(left)}"

    @property
    def _format(self) -> str:
        return self.model.suffix.removeprefix(".")

    def test_it_says_what_it_runs_without_starting_anything(self, device: Device) -> None:
        """Formats, runtime and identity are known before a worker is there."""
        before = descendants()
        assert self._format in device.formats
        runtime = device.runtime_for(self._format)
        identity = device.identity(self._format)
        assert identity.runtime == runtime
        assert identity.version
        assert identity == device.identity(self._format)
        assert descendants() <= before or device.choice.run.count("://")

    def test_a_format_that_it_does_not_run_is_an_error_of_the_model(self, device: Device) -> None:
        """Not a crash, and not another runtime."""
        with pytest.raises(ModelError):
            device.runtime_for("jpeg")

    def test_each_kind_of_facts_is_refused_or_has_evidence(self, device: Device) -> None:
        """A refusal is a sentence for the user."""
        for kind in KINDS:
            refusal = device.refusal(kind)
            assert refusal == "" or len(refusal) > 10
            assert device.evidence(kind) in Evidence
            assert isinstance(device.repeats(kind), bool)

    def test_every_sample_has_an_answer(self, device: Device, tmp_path: Path) -> None:
        """One row a sample, in the order of the samples; *first* takes fewer."""
        self._skip_unless_it_runs(device)
        whole = self._answers(device, Samples(path=self.data, split="test"), tmp_path / "a.npz")
        few = self._answers(
            device, Samples(path=self.data, split="test", first=2), tmp_path / "b.npz"
        )
        assert {len(array) for array in few.values()} == {2}
        assert {len(array) for array in whole.values()} == {_samples(self.data)}
        for name, array in few.items():
            assert (array[0] == whole[name][0]).all()

    def test_answers_repeat_where_the_device_says_so(self, device: Device, tmp_path: Path) -> None:
        """They are cached then: they must be the same to the bit."""
        self._skip_unless_it_runs(device)
        if not device.repeats(facts.Predictions):
            pytest.skip("the device does not say that its answers repeat")
        samples = Samples(path=self.data, split="test", first=4)
        one, two = (self._answers(device, samples, tmp_path / f"{i}.npz") for i in range(2))
        assert all(one[name].tobytes() == two[name].tobytes() for name in one)

    def test_a_damaged_model_is_refused_and_the_device_goes_on(
        self, device: Device, tmp_path: Path
    ) -> None:
        """An error with words; a worker that died of it is an ordinary event."""
        self._skip_unless_it_runs(device)
        damaged = tmp_path / f"damaged{self.model.suffix}"
        damaged.write_bytes(self.model.read_bytes()[:100] + b"\0" * 100)
        with (
            pytest.raises((ModelError, DeviceError)) as caught,
            device.worker(self._format) as worker,
        ):
            worker.load(damaged)
        assert caught.value.message
        with device.worker(self._format) as worker:
            assert worker.load(self.model).outputs

    def test_a_killed_worker_is_told_and_the_next_one_works(
        self, device: Device, tmp_path: Path
    ) -> None:
        """Infrastructure: a DeviceError, never a verdict."""
        self._skip_unless_it_runs(device)
        if not sys.platform.startswith("linux"):
            pytest.skip("processes are found in /proc")
        before = descendants()
        samples = Samples(path=self.data, split="test", first=1)
        with device.worker(self._format) as worker:
            worker.load(self.model)
            for process in descendants() - before:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            with pytest.raises(DeviceError):
                worker.run(samples, "reset", tmp_path / "out.npz")
        assert self._answers(device, samples, tmp_path / "again.npz")

    def test_what_is_counted_is_a_number_or_a_reason(self, device: Device) -> None:
        """Instructions of an inference."""
        if device.refusal(facts.InstructionFacts):
            pytest.skip(device.refusal(facts.InstructionFacts))
        samples = Samples(path=self.data, split="test", first=1)
        try:
            found = device.instructions(self.model, self._filler(samples))
        except CannotTell as error:
            pytest.skip(f"the device cannot count them: {error.message}")
        assert found.count > 0
        assert found.tool

    def test_it_can_be_closed_twice_and_used_again(self, device: Device, tmp_path: Path) -> None:
        """A session closes what it opened, whatever happened before."""
        device.close()
        device.close()
        if not device.refusal(facts.Predictions):
            samples = Samples(path=self.data, split="test", first=1)
            assert self._answers(device, samples, tmp_path / "out.npz")

    def _skip_unless_it_runs(self, device: Device) -> None:
        if refusal := device.refusal(facts.Predictions):
            pytest.skip(refusal)

    def _answers(self, device: Device, samples: Samples, path: Path) -> Mapping[str, Any]:
        import numpy as np

        with device.worker(self._format) as worker:
            outputs = worker.load(self.model).outputs
            worker.run(samples, "reset", path)
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[str(index)] for index, name in enumerate(outputs)}

    def _filler(self, samples: Samples) -> Fill:
        import tempfile

        def fill(worker: Worker) -> None:
            with tempfile.TemporaryDirectory(prefix="edgebudget-") as folder:
                worker.run(samples, "reset", Path(folder, "outputs.npz"))

        return fill


def _samples(data: Path) -> int:
    import numpy as np

    with np.load(data, allow_pickle=False) as arrays:
        return next(len(arrays[name]) for name in arrays.files if name.startswith("x_test"))


def descendants() -> frozenset[int]:
    """The living processes that this one started, and theirs; empty outside Linux."""
    parents = dict(_parents())
    found = {os.getpid()}
    grown = True
    while grown:
        more = {child for child, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return frozenset(found - {os.getpid()})


def _parents() -> Iterable[tuple[int, int]]:
    """Each process and its parent; zombies are dead."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            if fields[0] != "Z":
                yield int(folder.name), int(fields[1])


@dataclass(eq=False)
class MockWorker:
    """Every invoke takes *seconds*; what it is asked is written in *log*."""

    seconds: float
    log: list[str]
    name: str
    outputs: Mapping[str, Any]

    def load(self, model: Path) -> Loaded:
        """A model with an input x and the outputs that were given."""
        del model
        return Loaded((Port("x", "x"),), tuple(self.outputs), 1.0)

    def run(self, samples: Samples, state: str, outputs: Path) -> None:
        """Write the outputs that were given."""
        del state
        self.log.append(f"{self.name} runs {samples.split} {samples.first}")
        if any(value is not None for value in self.outputs.values()):
            import numpy as np

            arrays = {str(i): array for i, array in enumerate(self.outputs.values())}
            np.savez(outputs, **arrays)

    def time(self, runs: int, warmup: int = 0) -> tuple[float, ...]:
        """The same time for each run."""
        del warmup
        self.log.append(self.name)
        return (self.seconds,) * runs

    def memory(self, model: Path) -> tuple[int, int]:
        """A byte a millisecond, and a page of the file."""
        del model
        return round(self.seconds * 1000), 4096


@dataclass
class MockDevice:
    """
    A device whose numbers are written down, for tests of metrics and reports.

    Attributes:
        seconds: of an invoke in each fresh worker, one after another; the last
            one for all further.
        outputs: name to array; what every run answers.
        profile: a built-in one.
        log: what its workers were asked.
        started: how many workers there were.
    """

    seconds: Sequence[float] = field(default_factory=lambda: [0.01])
    profile: str = "host"
    outputs: Mapping[str, Any] = field(default_factory=lambda: {"y": None})
    log: list[str] = field(default_factory=list)
    started: int = 0

    @property
    def choice(self) -> DeviceChoice:
        """The profile, run here."""
        return DeviceChoice(profile=load_profile(profiles()[self.profile]), run="host")

    @property
    def formats(self) -> tuple[str, ...]:
        """TFLite alone."""
        return ("tflite",)

    def evidence(self, facts: type) -> Evidence:
        """All is measured."""
        del facts
        return Evidence.MEASURED

    def refusal(self, facts: type) -> str:
        """Nothing is refused."""
        del facts
        return ""

    def source(self, facts: type) -> None:
        """The ordinary way for all."""
        del facts

    def repeats(self, facts: type) -> bool:
        """Answers do."""
        return facts.__name__ == "Predictions"

    @contextmanager
    def quiet(self) -> Iterator[Watch]:
        """It is never busy."""
        yield Calm()

    def close(self) -> None:
        """Nothing is open."""

    def runtime_for(self, fmt: str) -> str:
        """LiteRT."""
        del fmt
        return "litert"

    def identity(self, fmt: str) -> Identity:
        """LiteRT 0 on a mock of a CPU."""
        del fmt
        return Identity(runtime="litert", version="0", cpu="mock")

    @contextmanager
    def worker(self, fmt: str) -> Iterator[Worker]:
        """A fresh mock."""
        del fmt
        seconds = self.seconds[min(self.started, len(self.seconds) - 1)]
        self.started += 1
        yield MockWorker(seconds, self.log, f"w{self.started}", self.outputs)

    def instructions(self, model: Path, fill: Fill) -> facts.InstructionFacts:
        """There is no counter."""
        del model, fill
        raise CannotTell("a mock counts no instructions")
