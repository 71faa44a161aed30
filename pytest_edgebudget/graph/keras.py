"""A `.keras` file as far as it can be read without Keras: its size, and the notes inside."""

from __future__ import annotations

import zipfile
from pathlib import Path

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph.ir import Graph, Metadata, Subgraph

CONFIG = "config.json"
OWN = frozenset({"metadata.json", CONFIG, "model.weights.h5"})
"""What Keras itself writes (keras/src/saving/saving_lib.py); it does not look at the rest."""

LARGEST_NOTE = 4 << 20
LARGEST_MODEL = 2 << 30
"""Bytes of all members, unpacked: a zip archive may claim to hold any number."""


def read_keras(path: Path) -> Graph:
    """
    What is known of the `.keras` file at *path*: no ops, but its size and its notes.

    A note is a JSON file inside that Keras did not write, such as the precision
    that a pass put there.

    Raises:
        ModelError: it cannot be read, or is no such file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            check_members(members, path)
            notes = [member for member in members if _is_note(member)]
            metadata = tuple(
                Metadata(note.filename, memoryview(archive.read(note))) for note in notes
            )
        size = path.stat().st_size
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"{path}: not a Keras model: {error}", "save it again") from error
    nothing = Subgraph("main", (), (), (), ())
    return Graph(format="keras", subgraphs=(nothing,), size=size, metadata=metadata)


def check_members(members: list[zipfile.ZipInfo], path: Path) -> None:
    """Raise ModelError where a Keras model lacks, or holds more than can be unpacked."""
    if CONFIG not in {member.filename for member in members}:
        raise ModelError(
            f"{path}: a zip archive without {CONFIG}, not a Keras model",
            'save it with model.save("model.keras")',
        )
    if sum(member.file_size for member in members) > LARGEST_MODEL:
        raise ModelError(f"{path}: unpacks to more than {LARGEST_MODEL >> 30} GiB")


def _is_note(member: zipfile.ZipInfo) -> bool:
    name = member.filename
    return name not in OWN and name.endswith(".json") and member.file_size <= LARGEST_NOTE
