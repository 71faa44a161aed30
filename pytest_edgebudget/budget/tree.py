"""A TOML file as a tree in which each value knows where it was written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.budget.positions import KeyPath, positions
from pytest_edgebudget.errors import Mistake, Place

_DEPTH = 32  # no budget file nests deeper than eight


@dataclass(frozen=True, slots=True)
class Node:
    """
    A value and its place.

    *value* is a string, number, boolean or date as tomllib read it; a mapping
    of names to nodes for a table; a tuple of nodes for an array.
    """

    value: object
    place: Place

    @property
    def table(self) -> Mapping[str, Node]:
        """The nodes of a table; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def elements(self) -> tuple[Node, ...]:
        """The nodes of an array; empty for anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def text(self) -> str:
        """The string, or an empty one."""
        return self.value if isinstance(self.value, str) else ""


def parse_tree(content: bytes, file: Path) -> Node | Mistake:
    """The tree of a TOML file's *content*, or the sentence why it is not TOML."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        return _node(tomllib.loads(text), (), positions(text), file)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return Mistake(Place(file, line), "not TOML: the text is not UTF-8", "save it as UTF-8")
    except RecursionError:
        return Mistake(Place(file, 1), "not a budget file: nested too deeply")
    except ValueError as error:  # TOMLDecodeError, and what int() refuses
        return _syntax_mistake(str(error), content, file)


def key_text(path: KeyPath) -> str:
    """A key path as TOML writes it: ``models."a b".optimize[2]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            quoted = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'
            text += f".{quoted}" if text else quoted
    return text


def _node(value: object, path: KeyPath, lines: Mapping[KeyPath, int], file: Path) -> Node:
    if len(path) > _DEPTH:
        raise RecursionError
    place = Place(file, lines[path], key_text(path))
    if isinstance(value, dict):
        table = {key: _node(child, (*path, key), lines, file) for key, child in value.items()}
        return Node(table, place)
    if isinstance(value, list):
        nodes = (_node(child, (*path, index), lines, file) for index, child in enumerate(value))
        return Node(tuple(nodes), place)
    return Node(value, place)


_TWICE = re.compile(r"Cannot declare \((.*)\) twice")
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def _syntax_mistake(message: str, content: bytes, file: Path) -> Mistake:
    """What tomllib says, with its line; a table written twice has a name of its own."""
    at = _AT.search(message)
    line = int(at[1]) if at and at[1] else content.rstrip().count(b"\n") + 1
    twice = _TWICE.search(message)
    if twice:
        path = tuple(re.findall(r"'((?:[^'\\]|\\.)*)'", twice[1]))
        return _twice_mistake(path, Place(file, line, key_text(path)))
    return Mistake(Place(file, line if at else 1), f"not TOML: {_AT.sub('', message)}")


def _twice_mistake(path: tuple[str, ...], place: Place) -> Mistake:
    if len(path) == 2 and path[0] in ("models", "groups"):
        kind = path[0].removesuffix("s")
        return Mistake(place, f"two {path[0]} have the name {path[1]}", f"rename one {kind}")
    return Mistake(place, "this table is written twice", "put its keys under one header")
