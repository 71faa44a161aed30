"""The values of one table of a profile, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_edgebudget.devices.profile_keys import Key
from pytest_edgebudget.errors import Mistake, Place
from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import parse

_HERTZ = {"MHz": 1e6, "GHz": 1e9}
_CLOCK = re.compile(r"(\d+(?:\.\d+)?) ?(MHz|GHz)")
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "text": str,
    "clock": str,
    "bytes": str,
    "seconds": str,
    "joules": str,
    "count": int,
    "address": int,
    "texts": list,
    "sources": (list, dict),
}
_SLOWEST, _FASTEST = 1e4, 1e10  # hertz
_MOST_CORES = 1024
_WORDS = {
    "text": "string",
    "clock": "string",
    "bytes": "string",
    "seconds": "string",
    "joules": "string",
    "count": "whole number",
    "address": "whole number",
    "texts": "list of strings",
    "sources": "table of strings or a list of strings",
}


class Facts:
    """
    The keys of a table of the profile at *path*, whose text is *source*.

    Reading a value that is not there gives an empty one; each mistake is noted
    once in *mistakes*. *header* and *number* say which table: "" is the top,
    ``("memory", 1)`` the second ``[[memory]]``.
    """

    def __init__(
        self,
        path: Path,
        source: str,
        header: str,
        table: Mapping[str, Any],
        keys: Iterable[Key],
        number: int = 0,
    ) -> None:
        self.path = path
        self.source = source
        self.mistakes: list[Mistake] = []
        self._header = header
        self._number = number
        self._table = table
        self._bad: set[str] = set()
        self._check({key.name: key for key in keys})

    # --- values ---------------------------------------------------------------

    def text(self, name: str) -> str:
        """A string; "" where there is none."""
        return str(self._get(name) or "")

    def count(self, name: str) -> int | None:
        """A whole number of at least 1 (0 for an address); None where there is none."""
        value = self._get(name)
        return int(value) if value is not None else None

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; empty where there is none."""
        return tuple(self._get(name) or ())

    def sources(self, name: str) -> tuple[str, ...]:
        """Sources, a table of them as "fact: source"."""
        value = self._get(name) or ()
        if isinstance(value, dict):
            return tuple(f"{fact}: {source}" for fact, source in value.items())
        return tuple(value)

    def bytes(self, name: str) -> int | None:
        """A size in bytes; None where there is none."""
        value = self.quantity(name, Unit.BYTES)
        return None if value is None else int(value)

    def quantity(self, name: str, unit: Unit) -> float | None:
        """A number with its unit, in the SI unit; None where there is none."""
        value = self._get(name)
        try:
            return None if value is None else parse(value, unit)
        except ValueError as error:
            self.note(name, str(error))
        return None

    def parsed(self, name: str, parse: Callable[[str], float]) -> float | None:
        """A text as *parse* reads it; None where there is none."""
        value = self._get(name)
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            self.note(name, str(error))
        return None

    def hertz(self, name: str) -> float | None:
        """A frequency in hertz; None where there is none."""
        value = self._get(name)
        match = _CLOCK.fullmatch(value) if value is not None else None
        if value is not None and match is None:
            self.note(name, f"{value!r} is not a frequency", 'write "1.5 GHz" or "600 MHz"')
        found = float(match[1]) * _HERTZ[match[2]] if match else None
        if found is not None and not _SLOWEST <= found <= _FASTEST:
            self.note(name, f"no core runs at {value}", "from 0.01 MHz to 10 GHz")
        return found

    def wrong(self, name: str) -> bool:
        """Whether a mistake of that key is noted already."""
        return name in self._bad

    def _get(self, name: str) -> Any:
        return None if name in self._bad else self._table.get(name)

    # --- mistakes -------------------------------------------------------------

    def note(self, name: str, message: str, hint: str = "") -> None:
        """Note what is wrong with a key."""
        self._bad.add(name)
        key = f"{self._header}.{name}" if self._header else name
        self.mistakes.append(Mistake(Place(self.path, self._line(name), key), message, hint))

    def unknown(self, name: str, message: str, word: str, known: Iterable[str]) -> None:
        """Note a word that is none of those *known*, with the nearest of them."""
        import difflib  # for mistakes alone

        words = list(known)
        near = difflib.get_close_matches(word, words, 1)
        self.note(name, message, f"did you mean {near[0]}?" if near else f"known: {_list(words)}")

    def _check(self, keys: Mapping[str, Key]) -> None:
        for name, value in self._table.items():
            if name in keys:
                self._check_value(keys[name], value)
            else:
                self.unknown(name, "unknown key", name, keys)
        for name, key in keys.items():
            if key.required and name not in self._table and key.kind != "texts":
                self.note(name, "is missing", f"write {name} = {key.example}")

    def _check_value(self, key: Key, value: object) -> None:
        if not isinstance(value, _TYPES[key.kind]) or isinstance(value, bool):
            self.note(key.name, f"must be a {_WORDS[key.kind]}, not {str(value)[:80]!r}")
        elif isinstance(value, list | dict) and not all(isinstance(v, str) for v in _each(value)):
            self.note(key.name, f"must be a {_WORDS[key.kind]}")
        elif isinstance(value, int) and value < (1 if key.kind == "count" else 0):
            self.note(key.name, f"must be at least {1 if key.kind == 'count' else 0}")
        elif key.name == "cores" and isinstance(value, int) and value > _MOST_CORES:
            self.note(key.name, f"no device has {value:,} cores", f"at most {_MOST_CORES:,}")
        elif isinstance(value, str) and key.choices and value not in key.choices:
            self.unknown(key.name, f"{value!r} is not one of its words", value, key.choices)

    def _line(self, name: str) -> int:
        """The line of a key in this table; its header's where it is not written."""
        found = count = 0
        header = (
            re.compile(rf"\s*\[\[\s*{re.escape(self._header)}\s*\]\]") if self._header else None
        )
        key = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*[=.]|\s*\[+\s*{re.escape(name)}\b")
        inside = header is None
        for number, line in enumerate(self.source.splitlines(), 1):
            if header is not None and header.match(line):
                inside = count == self._number
                found = number if inside else found
                count += 1
            elif inside and key.match(line):
                return number
            elif header is not None and line.lstrip().startswith("["):
                inside = False
        return max(found, 1)


def _each(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _list(words: list[str]) -> str:
    shown = ", ".join(words[:12])
    return shown if len(words) <= 12 else f"{shown} and {len(words) - 12} more"
