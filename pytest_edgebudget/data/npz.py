"""Names, shapes and dtypes of an ``.npz``, read from its headers without numpy."""

from __future__ import annotations

import ast
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.magic import LFS_POINTER

MAGIC = b"\x93NUMPY"
LONGEST = 1 << 16  # bytes of a header: numpy's own reader takes 10,000
KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}

# What zipfile, zlib and literal_eval raise for bytes that are not what they should be.
_DAMAGE = (
    ValueError,
    SyntaxError,
    LookupError,
    TypeError,
    OSError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """*shape* of an array and its *dtype* by numpy's name ("float32", "str", "bool")."""

    shape: tuple[int, ...]
    dtype: str


def read_headers(path: Path, name: str) -> Mapping[str, ArrayInfo]:
    """
    Read what arrays the ``.npz`` at *path* holds; errors call it *name*.

    Raises:
        ModelError: it is no ``.npz``, is cut short, or holds pickled objects.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {_stem(member): _header(archive, member) for member in archive.namelist()}
    except zipfile.BadZipFile:
        raise _not_npz(path, name) from None
    except _DAMAGE as error:
        raise ModelError(f"{name} cannot be read: {error}", "save it with numpy.savez") from None


def _stem(member: str) -> str:
    if not member.endswith(".npy"):
        raise ValueError(f"{member} in it is not an array")
    return member.removesuffix(".npy")


def _header(archive: zipfile.ZipFile, member: str) -> ArrayInfo:
    with archive.open(member) as stream:
        fields = ast.literal_eval(_header_text(stream, member))
    return ArrayInfo(tuple(fields["shape"]), _dtype(fields["descr"], member))


def _header_text(stream: IO[bytes], member: str) -> str:
    """The literal dict in the header: see numpy.lib.format, versions 1 to 3."""
    magic = stream.read(8)
    if magic[:6] != MAGIC:
        raise ValueError(f"{member} in it is not an array")
    wide = magic[6] > 1
    (length,) = struct.unpack("<I" if wide else "<H", stream.read(4 if wide else 2))
    if length > LONGEST:
        raise ValueError(f"{member} in it has a header of {length:,} bytes")
    return stream.read(length).decode("latin1" if magic[6] < 3 else "utf-8")


def _dtype(descr: object, member: str) -> str:
    match = re.fullmatch(r"[<>|=]?([A-Za-z])(\d*).*", descr) if isinstance(descr, str) else None
    if match is None:
        raise ValueError(f"{member} in it has fields; plain arrays only")
    kind, width = match.groups()
    if kind == "O":
        raise ValueError(f"{member} in it holds pickled Python objects, which can run any code")
    if kind in KINDS:
        return f"{KINDS[kind]}{8 * int(width)}"
    return {"b": "bool", "U": "str", "S": "bytes"}.get(kind, kind)


def _not_npz(path: Path, name: str) -> ModelError:
    with path.open("rb") as stream:
        start = stream.read(len(LFS_POINTER))
    if start == LFS_POINTER:
        return ModelError(f"{name} is a Git LFS pointer, not the data", "run: git lfs pull")
    return ModelError(f"{name} is not an .npz file", "save it with numpy.savez")
