"""The steps of a recipe that train: on the Keras model, each in a process of its own."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_edgebudget.build import artifacts, keys, tuning
from pytest_edgebudget.build.bound import CALIBRATION, Bound
from pytest_edgebudget.build.promises import check_promises
from pytest_edgebudget.build.sources import LIBRARIES, taken
from pytest_edgebudget.data import DataFile
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.jobs import run
from pytest_edgebudget.locks import busy
from pytest_edgebudget.passes.chains import SOURCES, untrainable, wrong_order
from pytest_edgebudget.store import Store
from pytest_edgebudget.training.settings import step_epochs
from pytest_edgebudget.types import AS_IT_IS, Artifact

TIMEOUT = 4 * 3600.0
"""Seconds for the training of one step; what was done until then is kept."""

LATE = "what was trained is kept: the next run goes on from there; or train fewer epochs"
HANDED = ("train", "val", "calibration")
"""The splits that training may see. Never test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """
    Where training happens; *say* is told how far it is, *behind* are steps that come later.

    *cached*: nothing is trained, and what is not in the cache is a LookupError.
    """

    data: DataFile | None
    root: Path
    store: Store
    say: Callable[[str], None] = lambda text: None
    behind: Sequence[Bound] = ()
    cached: bool = False


def check_trainable(steps: Sequence[Bound], source: Artifact, data: DataFile | None) -> None:
    """
    Whether the steps that train come first, and have what they need.

    Raises:
        BuildError: a sentence for the one that cannot be applied.
    """
    said, hint = wrong_order([(bound.step, bound.chosen) for bound in steps])
    if said:
        raise BuildError(said, hint)
    for bound in steps:
        if bound.chosen.trains:
            _check(bound, source, data)


def _check(bound: Bound, source: Artifact, data: DataFile | None) -> None:
    if source.trainable is None:
        raise BuildError(untrainable(bound.step), SOURCES)
    if step_epochs(bound.step, bound.chosen) and (data is None or not data.has("x_train")):
        where = f"{data.path} has no x_train" if data else "the model has no data"
        raise BuildError(
            f"{bound.step} needs samples to train on, but {where}",
            "add x_train and y_train to the data",
        )


def trained(steps: Sequence[Bound], source: Artifact, school: School) -> Artifact:
    """
    The source after *steps* that train, exported like it, with its new `trainable`.

    Each step is in the cache by itself: recipes that begin alike share it.

    Raises:
        BuildError: a step failed, or its promise is not in what was exported.
    """
    current = replace(source, notes=())
    for number, bound in enumerate(steps):
        later = replace(school, behind=(*steps[number + 1 :], *school.behind))
        made = _step(bound, current, source, later)
        current = replace(made, notes=(*current.notes, *made.notes))
    return current


def _step(bound: Bound, current: Artifact, source: Artifact, school: School) -> Artifact:
    store, key = school.store, _key(bound, current, source, school.data)
    if bound.chosen.tunes:
        key |= tuning.key(source, school.behind, school.root)
    if found := artifacts.fetch(store.record("train", key), AS_IT_IS, store):
        return found
    if school.cached:
        raise LookupError
    with store.lock(json.dumps(key, sort_keys=True)):
        found = artifacts.fetch(store.record("train", key), AS_IT_IS, store)
        if found is None:
            found = _made(bound, current, source, school, store.checkpoint(key))
            store.write_record("train", key, artifacts.record(found))
        store.drop_checkpoint(key)
    return found


def _key(
    bound: Bound, current: Artifact, source: Artifact, data: DataFile | None
) -> dict[str, str]:
    assert current.trainable is not None
    assert source.trainable is not None
    key = {
        "model": current.trainable.name,
        "teacher": source.trainable.name,
        "step": str(bound.step),
        "format": source.format,
        "code": keys.code(bound.chosen.apply),
        "training": keys.training_code(),
    }
    libraries = sorted({*LIBRARIES, *bound.chosen.libraries})
    key |= {f"library {name}": version for name, version in keys.libraries(libraries).items()}
    for array in _handed(data):
        key[f"data {array}"] = data.digest_of(array) if data else ""
    return key


def _handed(data: DataFile | None) -> list[str]:
    """Names of the arrays that training is given."""
    if data is None:
        return []
    return [name for split in HANDED for kind in "xy" for name in data.named(f"{kind}_{split}")]


def _made(
    bound: Bound, current: Artifact, source: Artifact, school: School, checkpoint: Path
) -> Artifact:
    data = school.data
    with tempfile.TemporaryDirectory(prefix="edgebudget-") as name, busy():
        folder = Path(name)
        reply = run(
            "pytest_edgebudget.build.steps:train_step",
            {
                "model": str(current.trainable),
                "teacher": str(source.trainable),
                "step": bound.reference(),
                "folder": str(folder),
                "format": source.format,
                "data": str(_write_handed(data, folder / "train.npz")) if data else None,
                "arrays": list(data.named(CALIBRATION)) if data else [],
                "checkpoint": str(checkpoint),
                **(tuning.payload(source, school.behind) if bound.chosen.tunes else {}),
            },
            root=school.root,
            timeout=TIMEOUT,
            purpose=f"training for {bound.step}",
            late=LATE,
            say=school.say,
        )
        made = taken(reply, str(bound.step), school.store)
        check_promises(current.path, [(bound.step, bound.chosen)], [made.path])
    return made


def _write_handed(data: DataFile, path: Path) -> Path:
    """A copy of *data* without the test split: what is not there cannot be learnt."""
    with zipfile.ZipFile(data.path) as old, zipfile.ZipFile(path, "w") as new:
        for name in _handed(data):
            entry = zipfile.ZipInfo(f"{name}.npy")
            with (
                old.open(f"{name}.npy") as stream,
                new.open(entry, "w", force_zip64=True) as copy,
            ):
                shutil.copyfileobj(stream, copy)
    return path
