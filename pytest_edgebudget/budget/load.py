"""A budget file and the files that it extends, merged into one tree."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.budget.mistakes import Mistakes
from pytest_edgebudget.budget.tree import Node, parse_tree
from pytest_edgebudget.errors import Mistake, Place

LARGEST = 1 << 20
"""Bytes of a budget file; those that people write have a few thousand."""

_LONG = 200  # characters of a path; the system's limit of a name is about as many


@dataclass(frozen=True, slots=True)
class Loader:
    """
    Reads files below *root*; places show paths relative to it.

    A file that cannot be read becomes a mistake and an empty tree, so that the
    mistakes of the other files are told in the same run.
    """

    root: Path
    mistakes: Mistakes

    def load(self, file: Path) -> Node:
        """The tree of *file* over the trees of the files that it extends."""
        return self._load(file, Place(self._shown(file), 1), ())

    def absolute(self, text: str, node: Node) -> Path:
        """A path as it was written in *node*'s file: relative to that file's folder."""
        return normal(self.root / node.place.file.parent / text)

    def _load(self, file: Path, mentioned: Place, chain: tuple[Path, ...]) -> Node:
        if file in chain:
            names = " -> ".join(str(self._shown(link)) for link in (*chain, file))
            self.mistakes.add(mentioned, f"files extend each other in a circle: {names}")
            return Node({}, mentioned)
        tree = self._read(file, mentioned)
        under = Node({}, tree.place)
        for base in self._bases(tree):
            path = self.absolute(base.text, base)
            under = merge(under, self._load(path, base.place, (*chain, file)))
        return merge(under, tree)

    def _read(self, file: Path, mentioned: Place) -> Node:
        try:
            content = read_bytes(file)
        except (OSError, ValueError) as error:
            self.mistakes.add(mentioned, _unreadable(_short(self._shown(file)), error))
            return Node({}, mentioned)
        shown = self._shown(file)
        self.mistakes.files.append(shown)
        tree = parse_tree(content, shown)
        if isinstance(tree, Mistake):
            self.mistakes.found.append(tree)
            return Node({}, tree.place)
        return tree

    def _bases(self, tree: Node) -> list[Node]:
        """The ``extends`` of one file; what is no text is told by the grammar check."""
        extends = tree.table.get("extends")
        if extends is None:
            return []
        return [node for node in (extends.elements or (extends,)) if node.text]

    def _shown(self, file: Path) -> Path:
        return file.relative_to(self.root) if file.is_relative_to(self.root) else file


def read_bytes(file: Path) -> bytes:
    """
    The bytes of a TOML file of ours.

    Raises OSError also for what is no file, whose reading might never end, and
    for what is far larger than anybody writes.
    """
    if file.exists() and not file.is_file() and not file.is_dir():
        raise OSError(f"{file.name} is not a file")
    if file.is_file() and file.stat().st_size > LARGEST:
        raise OSError(f"it has more than {LARGEST:,} bytes")
    return file.read_bytes()


def merge(under: Node, over: Node) -> Node:
    """Tables are merged key by key; anything else of *over* replaces *under*'s."""
    if not (isinstance(under.value, dict) and isinstance(over.value, dict)):
        return over
    table = dict(under.table)
    for key, node in over.table.items():
        table[key] = merge(table[key], node) if key in table else node
    return Node(table, over.place)


def normal(path: Path) -> Path:
    """*path* without ``..``; links are kept, for their names carry the suffix."""
    return Path(os.path.normpath(path))


def _unreadable(shown: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no file {shown}"
    if isinstance(error, IsADirectoryError):
        return f"{shown} is a folder, a budget file is meant"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{shown} cannot be read: {reason}"


def _short(path: Path) -> str:
    """A path in a sentence: of a long one, its two ends."""
    text = str(path)
    return text if len(text) <= _LONG else f"{text[: _LONG // 2]}...{text[-_LONG // 2 :]}"
