"""From a path to a Graph: which format it is, and what it is when it is none."""

from __future__ import annotations

import gc
from pathlib import Path

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph.damage import DamageError
from pytest_edgebudget.graph.external import ExternalError
from pytest_edgebudget.graph.ir import Graph
from pytest_edgebudget.graph.mapped import Data, contents
from pytest_edgebudget.magic import HDF5, LFS_POINTER, ZIP
from pytest_edgebudget.paths import is_folder

_OTHERS = (
    (HDF5, "an HDF5 file (a Keras .h5)"),
    (ZIP, "a zip archive (a .keras, .npz or .pt)"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"\x1f\x8b", "a gzip archive"),
)
_IR_VERSION, _FUTURE = 0x08, 0x40
_FIELDS = (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42)
"""How fields 2 to 8 of an ONNX ModelProto begin, and what no IR version is."""

_TEXT = bytes((*b"\t\n\r", *range(0x20, 0x7F)))
_EXPORT = "a source model of another kind is exported to .tflite first"


def read(path: Path) -> Graph:
    """
    Read a `.tflite` or `.onnx` file.

    Needs milliseconds and no library; constants are views of the bytes read.

    Raises:
        ModelError: the file is missing, a folder, empty, a Git LFS pointer,
            truncated, damaged, or not a model; or its external data is.
    """
    return parse(_contents(path), path)


def parse(data: Data, path: Path) -> Graph:
    """
    Read a model from its bytes; *path* names its format and the folder of its external data.

    Raises:
        ModelError: as `read`.
    """
    collecting = gc.isenabled()
    gc.disable()  # a graph is many small objects, all of them alive: looking costs a fifth
    try:
        return _graph(path, data)
    except DamageError as error:
        raise ModelError(
            f"{path}: not a usable model: {error}",
            f"the file has {len(data):,} bytes; {error.hint}",
        ) from error
    except ExternalError as error:
        raise ModelError(f"{path}: {error.message}", error.hint) from error
    finally:
        if collecting:
            gc.enable()


def _contents(path: Path) -> Data:
    if is_folder(path):
        raise ModelError(f"{path}: a folder, where a .tflite or .onnx file is meant", _EXPORT)
    try:
        data = contents(path)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read ({_reason(error)})", "check the path") from error
    if not data:
        raise ModelError(f"{path}: the file is empty", "copy or export the model again")
    return data


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _graph(path: Path, data: Data) -> Graph:
    # Each reader is imported when its format is met: a cold start pays for one.
    from pytest_edgebudget.graph.tflite import is_tflite, read_tflite

    if is_tflite(data):
        return read_tflite(data, path.parent)
    _refuse_others(path, data[:64])
    if path.suffix.lower() == ".onnx":
        from pytest_edgebudget.graph.onnx import read_onnx

        return read_onnx(data, path.parent)
    if _looks_like_onnx(data[:3]):
        raise ModelError(
            f"{path}: this looks like an ONNX model (protobuf), whose name ends in .onnx",
            f"rename it to {path.stem}.onnx",
        )
    if path.suffix.lower() == ".tflite":
        raise DamageError('not a TensorFlow Lite model: "TFL3" is not there', 4)
    raise ModelError(f"{path}: neither a .tflite nor an .onnx model", _EXPORT)


def _looks_like_onnx(head: bytes) -> bool:
    """Whether the fields of a ModelProto begin: the IR version, and another one behind it."""
    tag, version, following = head.ljust(3, b"\0")
    return tag == _IR_VERSION and version < _FUTURE and following in _FIELDS


def _refuse_others(path: Path, head: bytes) -> None:
    """Say what the file is, where its first bytes tell."""
    if head.startswith(LFS_POINTER):
        raise ModelError(
            f"{path}: a Git LFS pointer, not the model itself", "fetch it with `git lfs pull`"
        )
    for magic, what in _OTHERS:
        if head.startswith(magic):
            raise ModelError(f"{path}: this is {what}, not a .tflite or .onnx model", _EXPORT)
    if not head.strip(_TEXT):
        raise ModelError(f"{path}: this is text, not a .tflite or .onnx model", "check the path")
