"""Keras models and SavedModels to `.tflite` or `.onnx`, in a process of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_edgebudget.build import keras_2, keras_models, saved_models
from pytest_edgebudget.errors import BuildError, ModelError
from pytest_edgebudget.jobs.resolve import resolve
from pytest_edgebudget.passes._libraries import load

Reply = dict[str, str | list[str]]


def export(payload: dict[str, str]) -> Reply:
    """Export the file or folder *source* to *format*; return where it is, and notes."""
    out = Path(payload["out"])
    return _export(Path(payload["source"]), payload["format"], out)


def call(payload: dict[str, str]) -> Reply:
    """
    Call the user's function; return where its model is, and notes.

    It may return the path of a model, the bytes of a `.tflite` or `.onnx`, or a
    Keras model.
    """
    name, out = payload["function"], Path(payload["out"])
    result = resolve(name)()
    if isinstance(result, str | Path):
        return _from_path(Path(payload["root"], result), payload["format"], out)
    if isinstance(result, bytes | bytearray):
        return _from_bytes(bytes(result), out)
    if keras_models.is_keras(result):
        if payload["format"] == "keras":
            return keras_models.save_file(result, out / "model.keras")
        folder = keras_models.save(result, out / "saved_model")
        reply = _convert(folder, payload["format"], out)
        return {**reply, "trainable": _trainable(result, out)}
    raise BuildError(
        f"{name} returned {type(result).__name__}",
        "return a path, the bytes of a .tflite or .onnx file, or a Keras model",
    )


def _from_path(path: Path, wanted: str, out: Path) -> Reply:
    if not path.exists():
        raise ModelError(f"there is no model {path}")
    if path.suffix in (".tflite", ".onnx") or path.suffix == f".{wanted}":
        trainable = str(path) if path.suffix == ".keras" else ""
        return {"path": str(path), "notes": [], "trainable": trainable}
    return _export(path, wanted, out)


def _from_bytes(content: bytes, out: Path) -> Reply:
    path = out / ("model.tflite" if content[4:8] == b"TFL3" else "model.onnx")
    path.write_bytes(content)
    return {"path": str(path), "notes": []}


def _export(source: Path, wanted: str, out: Path) -> Reply:
    load("tensorflow", f"converting {source.name}")
    if wanted == "keras":
        return keras_models.save_file(keras_models.read(source), out / "model.keras")
    folder = out / "saved_model"
    if source.is_dir():
        saved_models.with_batch_of_one(source, folder)
        return _convert(folder, wanted, out)
    model = keras_models.read(source)
    keras_models.save(model, folder)
    trainable = str(source) if source.suffix == ".keras" else _trainable(model, out, source)
    return {**_convert(folder, wanted, out), "trainable": trainable}


def _trainable(model: Any, out: Path, source: Path | None = None) -> str:
    """
    A file of *model* that can be trained; "" where there is none.

    A model of tf-keras becomes one of Keras 3 where that answers the same, else it stays
    the *source* that it came from. A model that cannot be saved is gated all the same:
    only a recipe that trains needs the file.
    """
    if keras_models.is_old(model):
        new = keras_2.in_keras_3(model, source, out) if source else None
        if new is None:
            return str(source or "")
        model = new
    try:
        keras_models.save_file(model, out / "trainable.keras")
    except Exception:  # layers of the user's own raise anything
        return ""
    return str(out / "trainable.keras")


def _convert(folder: Path, wanted: str, out: Path) -> Reply:
    path = out / f"model.{wanted}"
    if wanted == "tflite":
        saved_models.to_tflite(folder, path)
    else:
        saved_models.to_onnx(folder, path)
    return {"path": str(path), "notes": _notes(path)}


def _notes(path: Path) -> list[str]:
    from pytest_edgebudget import graph

    read = graph.read(path)
    free = [read.tensors[i].name for i in read.main.inputs if -1 in (read.tensors[i].shape or ())]
    return [f"the shape of {', '.join(free)} is not fixed"] if free else []
