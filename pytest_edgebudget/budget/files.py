"""
Whether model and data files are what they should be, from their first bytes.

A wrong file is told with the other mistakes of the budget file, before
anything is built. Reading the whole model is `graph`'s work, later.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pytest_edgebudget.budget.mistakes import suggest
from pytest_edgebudget.data.npz import read_headers
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.magic import HDF5, LFS_POINTER, ZIP

_SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
_OTHERS = (
    (ZIP, "a zip archive"),
    (HDF5, "an HDF5 file"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"\x1f\x8b", "a gzip archive"),
)


class FileError(ValueError):
    """A file cannot be used: the sentence, and a *hint* what to do."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.hint = hint


def check_model(path: Path, name: str) -> None:
    """
    Check that *path* can be a model; errors call it *name*.

    Raises:
        FileError: it is missing, or not what its suffix says.
    """
    kind = _MAGICS.get(path.suffix.lower())
    if path.is_dir():
        return _check_saved_model(path, name, meant=kind is None)
    _check_file(path, name)
    if kind is None:
        known = ", ".join(_MAGICS)
        raise FileError(f"{name} is not a kind of model that is known", f"a model is {known}")
    with path.open("rb") as stream:
        if not kind(stream, path.stat().st_size):
            raise FileError(f"{name} is not a {path.suffix} model{_instead(stream)}")
    return None


def check_data(path: Path, name: str) -> None:
    """
    Check that *path* can be data; errors call it *name*.

    Raises:
        FileError: it is missing, not an ``.npz``, or holds pickled objects.
    """
    if path.is_dir():
        raise FileError(f"{name} is a folder, an .npz file is meant")
    _check_file(path, name)
    try:
        arrays = read_headers(path, name)
    except ModelError as error:
        raise FileError(error.message, error.hint) from None
    if not arrays:
        raise FileError(f"{name} holds no arrays", "save it with numpy.savez(path, x_test=...)")


def missing(path: Path, name: str) -> FileError:
    """The error for a file that is not there, with the files that are."""
    folder = path.parent
    if not folder.is_dir():
        return FileError(f"there is no {name}: its folder does not exist")
    siblings = [sibling.name for sibling in sorted(folder.iterdir())[:1000]]
    hint = suggest(path.name, siblings)
    return FileError(f"there is no {name}", hint if hint.startswith("did you mean") else "")


def _check_file(path: Path, name: str) -> None:
    if not path.exists():
        raise missing(path, name)
    if not path.is_file():
        raise FileError(f"{name} is not a file")
    with path.open("rb") as stream:
        start = stream.read(len(LFS_POINTER))
    if not start:
        raise FileError(f"{name} is empty")
    if start == LFS_POINTER:
        raise FileError(f"{name} is a Git LFS pointer, not the file itself", "run: git lfs pull")


def _check_saved_model(folder: Path, name: str, *, meant: bool) -> None:
    if not meant:
        raise FileError(f"{name} is a folder, a {folder.suffix} file is meant")
    if not any((folder / file).is_file() for file in _SAVED_MODEL):
        raise FileError(f"{name} is a folder without {_SAVED_MODEL[0]}: it is not a SavedModel")


def _instead(stream: BinaryIO) -> str:
    stream.seek(0)
    start = stream.read(16)
    if start[4:8] == b"TFL3":
        return ": it is a TensorFlow Lite model"
    return next((f": it is {what}" for magic, what in _OTHERS if start.startswith(magic)), "")


# --- what a file of each suffix starts with ------------------------------------


def _tflite(stream: BinaryIO, size: int) -> bool:
    """A flatbuffer with the file identifier TFL3."""
    return stream.read(8)[4:] == b"TFL3"


def _keras(stream: BinaryIO, size: int) -> bool:
    return stream.read(4) == ZIP


def _hdf5(stream: BinaryIO, size: int) -> bool:
    return stream.read(8) == HDF5


def _onnx(stream: BinaryIO, size: int) -> bool:
    """
    Whether the top level is a ModelProto: its fields, end to end, with a graph.

    Field numbers and wire types: onnx.proto, message ModelProto.
    """
    graph = False
    while stream.tell() < size:
        tag = _varint(stream)
        number, wire = tag >> 3, tag & 7
        if not 1 <= number <= _FIELDS or wire not in (0, 2):
            return False
        value = _varint(stream)
        if value < 0 or (wire == 2 and stream.seek(min(value, size), 1) > size):
            return False
        graph = graph or (number, wire) == (7, 2)
    return graph


_FIELDS = 64  # the message has 26; later versions may add some


def _varint(stream: BinaryIO) -> int:
    """A base-128 varint; -1 for one that is cut or endless."""
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            return -1
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return -1


_MAGICS: dict[str, Callable[[BinaryIO, int], bool]] = {
    ".tflite": _tflite,
    ".onnx": _onnx,
    ".keras": _keras,
    ".h5": _hdf5,
}
