"""
On which line each key of a TOML text stands.

`tomllib` reads values and forgets places. This scanner walks a text that
tomllib has accepted, so it need not judge it: it follows tables, dotted and
quoted keys, arrays and inline tables, and steps over everything else.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

KeyPath = tuple[str | int, ...]
"""The keys to a value, from the top; an index for an element of an array."""

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'",
    re.DOTALL,
)
_STRING_OR_COMMENT = re.compile(rf"(?:{_STRING.pattern})|(?P<comment>#[^\n]*)", re.DOTALL)
_PLAIN = re.compile(r"[^,\]}\n#]+")  # numbers, booleans, dates


def positions(text: str) -> dict[KeyPath, int]:
    """The line (from 1) of each key of *text*, which must be valid TOML."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def headers(text: str) -> list[tuple[int, KeyPath]]:
    """Line and path of each table header of *text*, which must be valid TOML."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.headers


def comments(text: str) -> list[tuple[int, str]]:
    """Line and text (from the #) of each comment of *text*, which must be valid TOML."""
    found, line, at = [], 1, 0
    for match in _STRING_OR_COMMENT.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        if match["comment"] is not None:
            found.append((line, match["comment"].rstrip()))
    return found


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {(): 1}
        self.headers: list[tuple[int, KeyPath]] = []
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._arrays: dict[KeyPath, int] = {}  # arrays of tables and their length

    def document(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._assignment(table)
            self._skip(_BLANK)

    def _header(self) -> KeyPath:
        line = self._line()
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        table = self._resolved(self._key(), append=brackets == 2)
        self.at += brackets
        self._note_parents(table, line)
        self.headers.append((line, table))
        self.lines[table] = line  # its own header is a better place than a child's
        return table

    def _resolved(self, key: tuple[str, ...], *, append: bool) -> KeyPath:
        """The path that a header means: ``[a.b]`` after ``[[a]]`` is in the last a."""
        path: KeyPath = ()
        for depth, part in enumerate(key, start=1):
            path = (*path, part)
            if append and depth == len(key):
                self._arrays[path] = self._arrays.get(path, 0) + 1
                self._note_parents(path, self._line())
            if path in self._arrays:
                path = (*path, self._arrays[path] - 1)
        return path

    def _assignment(self, table: KeyPath) -> None:
        line = self._line()
        path = (*table, *self._key())
        self._note_parents(path, line)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(_STRING if opening in "\"'" else _PLAIN)

    def _array(self, path: KeyPath) -> None:
        self._open()
        index = 0
        while self.text[self.at] != "]":
            element = (*path, index)
            self.lines[element] = self._line()
            self._value(element)
            self._separator()
            index += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._open()
        while self.text[self.at] != "}":
            self._assignment(path)
            self._separator()
        self.at += 1

    def _open(self) -> None:
        self.at += 1
        self._skip(_BLANK)

    def _separator(self) -> None:
        self._skip(_BLANK)
        if self.text[self.at] == ",":
            self._open()

    def _key(self) -> tuple[str, ...]:
        parts = []
        while True:
            self._skip(_SPACE)
            parts.append(self._key_part())
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def _key_part(self) -> str:
        start = self.at
        self._skip(_STRING if self.text[start] in "\"'" else _BARE)
        part = self.text[start : self.at]
        if part.startswith('"') and "\\" in part:
            return str(tomllib.loads(f"key = {part}")["key"])
        return part.strip(part[0]) if part[0] in "\"'" else part

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _line(self) -> int:
        return bisect_right(self._newlines, self.at - 1) + 1

    def _note_parents(self, path: KeyPath, line: int) -> None:
        for depth in range(1, len(path) + 1):
            self.lines.setdefault(path[:depth], line)
