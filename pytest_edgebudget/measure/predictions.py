"""What models answer on a split of the data."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget import locks
from pytest_edgebudget.data import DataFile
from pytest_edgebudget.devices.base import CannotTell, Port, Samples
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import Array, Predictions
from pytest_edgebudget.measure.subject import Subject
from pytest_edgebudget.types import Artifact, Evidence


@dataclass(frozen=True, slots=True)
class Answers:
    """Outputs of a model by name, in the model's order, its *inputs*, and their *evidence*."""

    inputs: tuple[Port, ...]
    outputs: Mapping[str, Array]
    evidence: Evidence | None = None


def predictions(subject: Subject, *, compared: bool, paired: bool = False) -> Predictions:
    """
    Run the samples; the source model too, when *compared*, and when *paired* if it runs here.

    Raises CannotTell where the data has no such samples.
    """
    samples, data = subject.samples, subject.data
    if samples is None or data is None:
        raise CannotTell(
            f"there is no x_{subject.split} to run", f"add x_{subject.split} to the model's data"
        )
    mine = _answers(subject, subject.artifact, samples)
    theirs = None
    if (compared or paired) and subject.source is not None:
        same = subject.source.sha256 == subject.artifact.sha256
        try:
            theirs = mine if same else _of_source(subject, subject.source, samples)
        except ModelError:
            if compared:
                raise
    return Predictions(
        outputs=mine.outputs,
        inputs=_inputs(data, samples, mine.inputs),
        labels=_labels(data, samples),
        source=theirs.outputs if theirs else None,
        evidence=mine.evidence,
    )


def _of_source(subject: Subject, source: Artifact, samples: Samples) -> Answers:
    """What the source answers: run once for all that is made of it."""
    key = source.sha256, samples.split, samples.first
    if key not in subject.answered:
        subject.answered[key] = _answers(subject, source, samples)
    answers = subject.answered[key]
    assert isinstance(answers, Answers)
    return answers


def _answers(subject: Subject, model: Artifact, samples: Samples) -> Answers:
    import numpy as np

    with tempfile.TemporaryDirectory(prefix="edgebudget-") as folder:
        path = Path(folder) / "outputs.npz"
        with locks.busy(), subject.device.worker(model.format) as worker:
            loaded = worker.load(model.runs_as)
            worker.run(samples, subject.state, path)
        with np.load(path, allow_pickle=False) as arrays:
            outputs = {name: arrays[str(index)] for index, name in enumerate(loaded.outputs)}
    return Answers(loaded.inputs, outputs, loaded.evidence)


def _inputs(data: DataFile, samples: Samples, ports: tuple[Port, ...]) -> dict[str, Array]:
    """The samples by the names of the model's inputs."""
    found = arrays(data, f"x_{samples.split}", samples.first)
    alone = next(iter(found.values())) if len(ports) == 1 and len(found) == 1 else None
    named = {port.name: found.get(port.name, found.get(port.tensor, alone)) for port in ports}
    return {name: array for name, array in named.items() if array is not None}


def _labels(data: DataFile, samples: Samples) -> dict[str, Array]:
    return arrays(data, f"y_{samples.split}", samples.first)


def arrays(data: DataFile, name: str, first: int | None = None) -> dict[str, Array]:
    """The arrays that make up *name*, keyed by what follows ``name/``."""
    import numpy as np

    with np.load(data.path, allow_pickle=False) as file:
        return {
            key.removeprefix(name).removeprefix("/"): spread(file[key], first)
            for key in data.named(name)
        }


def spread(array: Array, count: int | None) -> Array:
    """*count* samples evenly over the array, as the worker takes them: data may be sorted."""
    return array if count is None else array[:: step(len(array), count)][:count]


def step(samples: int, count: int | None) -> int:
    """From one sample that runs to the next, in a split of so many *samples*."""
    return 1 if count is None else max(1, samples // count)
