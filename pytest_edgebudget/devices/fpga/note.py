"""
The note inside a `.keras` file that makes it a fixed-point model.

``hls4ml.json`` holds the arguments of hls4ml's own converter, so that
whoever has the file can make the same firmware without us::

    note = json.loads(zipfile.ZipFile("model.keras").read("hls4ml.json"))
    hls4ml.converters.convert_from_keras_model(keras.saving.load_model("model.keras"), **note)
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.keras import check_members, read_keras

NAME = "hls4ml.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip archive can name


def note_of(graph: Graph, name: str) -> Mapping[str, Any] | None:
    """
    The arguments of the converter in a model's note; None where there is no note.

    *name* is the model's, for messages. Raises ModelError for a note that is no JSON table.
    """
    for note in graph.metadata:
        if note.name == NAME:
            try:
                table = json.loads(bytes(note.data))
            except ValueError as error:
                raise ModelError(f"{name}: {NAME} is not JSON: {error}") from error
            if not isinstance(table, dict):
                raise ModelError(f"{name}: {NAME} is not a table")
            return table
    return None


def read_note(path: Path) -> Mapping[str, Any] | None:
    """The note of the `.keras` file at *path*; None where there is none. Raises ModelError."""
    return note_of(read_keras(path), path.name)


def write_with_note(source: Path, note: Mapping[str, Any] | None, out: Path) -> None:
    """
    Copy the `.keras` file *source* to *out*, with *note* instead of one that is there.

    The same model and note make the same bytes: times of writing are left out, and
    nothing is packed, since libraries that pack differ.
    """
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        members = old.infolist()
        check_members(members, source)
        for member in sorted(members, key=lambda each: each.filename):
            if member.filename != NAME and not member.is_dir():
                with old.open(member) as stream, new.open(_entry(member.filename), "w") as copy:
                    shutil.copyfileobj(stream, copy)
        if note is not None:
            new.writestr(_entry(NAME), json.dumps(note, indent=1, sort_keys=True))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.create_system = 3  # as written on Unix, wherever this runs
    return entry
