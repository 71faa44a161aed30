"""The source of a model as an artifact: as it is, exported, or made by a function."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pytest_edgebudget.build import artifacts, keys
from pytest_edgebudget.errors import BuildError, ModelError
from pytest_edgebudget.jobs import JSON, run
from pytest_edgebudget.locks import busy
from pytest_edgebudget.magic import LFS_POINTER
from pytest_edgebudget.store import Store
from pytest_edgebudget.store.files import digest
from pytest_edgebudget.types import AS_IT_IS, Artifact, FunctionRef, ModelBudget

DEPLOYED = (".tflite", ".onnx")
KERAS = (".keras", ".h5")
LIBRARIES = ("tensorflow", "keras", "tf-keras", "tf2onnx", "numpy")
TIMEOUT = 900.0
"""Seconds for an export: TensorFlow alone takes several to import."""


def source_artifact(
    model: ModelBudget, *, formats: tuple[str, ...], root: Path, store: Store
) -> Artifact:
    """
    Return the model as one of *formats*, preferred first, in the cache.

    Keras models and SavedModels are exported in float with a static batch of
    one, in a process of their own; a function is called there each time. For a
    device that runs `.keras` files these stay as they are.

    Raises:
        ModelError: there is no such model, or the device cannot run its format.
        BuildError: the export or the function failed.
        MissingExtra: TensorFlow is not installed.
    """
    source = model.source
    if isinstance(source, FunctionRef):
        return _from_function(source, formats, root, store)
    _check_there(source)
    kept = source.suffix == ".keras" and "keras" in formats
    if (kept or source.suffix in DEPLOYED) and source.is_file():
        _check_format(str(source), source.suffix, formats)
        made = artifacts.put(source, AS_IT_IS, store)
        return replace(made, trainable=made.path if kept else None)
    return _exported(source, formats[0], root, store)


def _check_there(path: Path) -> None:
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise ModelError(
                f"{path} is a folder without saved_model.pb",
                "a folder is read as a SavedModel; otherwise name the model's file",
            )
    elif not path.is_file():
        raise ModelError(f"there is no model {path}")
    elif path.suffix not in (*DEPLOYED, *KERAS):
        raise ModelError(
            f"{path} is of no kind that is known",
            "a model is .tflite, .onnx, .keras, .h5, a SavedModel folder, or module:function",
        )
    elif path.suffix in KERAS:
        with path.open("rb") as stream:
            if stream.read(len(LFS_POINTER)) == LFS_POINTER:
                raise ModelError(f"{path} is a Git LFS pointer, not the model", "run: git lfs pull")


def _check_format(name: str, suffix: str, formats: tuple[str, ...]) -> None:
    if suffix.removeprefix(".") not in formats:
        readable = " and ".join(f".{item}" for item in formats)
        raise ModelError(
            f"{name} is {suffix}, but the device runs {readable}",
            "convert it, or choose a device or a runtime that runs it: edgebudget devices NAME",
        )


def _exported(source: Path, wanted: str, root: Path, store: Store) -> Artifact:
    folder = source.is_dir()
    key = {
        "source": keys.digest_folder(source) if folder else digest(source),
        "suffix": source.suffix,
        "format": wanted,
        **keys.libraries(LIBRARIES),
    }

    def make(out: Path) -> JSON:
        return run(
            "pytest_edgebudget.build.export:export",
            {"source": str(source), "format": wanted, "out": str(out)},
            root=root,
            timeout=TIMEOUT,
            purpose=f"converting {source} to .{wanted}",
        )

    if found := artifacts.fetch(store.record("export", key), AS_IT_IS, store):
        return found
    with store.lock(json.dumps(key, sort_keys=True)):
        found = artifacts.fetch(store.record("export", key), AS_IT_IS, store)
        if found is None:
            found = _made(make, str(source), store)
            store.write_record("export", key, artifacts.record(found))
    return found


def _from_function(
    ref: FunctionRef, formats: tuple[str, ...], root: Path, store: Store
) -> Artifact:
    def make(out: Path) -> JSON:
        return run(
            "pytest_edgebudget.build.export:call",
            {"function": str(ref), "format": formats[0], "out": str(out), "root": str(root)},
            root=root,
            timeout=TIMEOUT,
            purpose=f"calling {ref} for the model",
            tidy=False,
        )

    artifact = _made(make, str(ref), store)
    _check_format(f"what {ref} returned", artifact.path.suffix, formats)
    return artifact


def _made(make: Callable[[Path], JSON], name: str, store: Store) -> Artifact:
    """Run *make* in an empty folder; it replies with the model's path and notes."""
    with tempfile.TemporaryDirectory(prefix="edgebudget-") as folder, busy():
        return taken(make(Path(folder)), name, store)


def taken(reply: JSON, name: str, store: Store) -> Artifact:
    """
    What a child process exported, in the cache, with the Keras model that it is of.

    Raises BuildError for a reply without a model.
    """
    match reply:
        case {"path": str(path), "notes": list(notes)}:
            words = [str(note) for note in notes]
            made = artifacts.put(Path(path), AS_IT_IS, store, name=name, notes=words)
            assert isinstance(reply, dict)
            if trainable := str(reply.get("trainable") or ""):
                _, place = store.put_file(Path(trainable), Path(trainable).suffix)
                made = replace(made, trainable=place)
            return made
    raise BuildError(f"{name} gave no model")
