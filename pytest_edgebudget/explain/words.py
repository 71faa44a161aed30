"""Short words for a narrow column: sizes, counts, shapes, names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pytest_edgebudget.types import Unit
from pytest_edgebudget.units import format_value

UNKNOWN = "?"

WIDTH = 100
"""Columns that are used at most."""


def size(value: int | None) -> str:
    """Bytes: ``29.2 KiB``."""
    return UNKNOWN if value is None else format_value(value, Unit.BYTES)


def count(value: int | None) -> str:
    """A number of things: ``2.66 M``."""
    return UNKNOWN if value is None else format_value(value, Unit.COUNT)


def many(number: int, word: str) -> str:
    """How many of something: ``1 op``, ``2 ops``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def share(part: int | None, whole: int) -> str:
    """A percentage without decimals: ``12 %``; nothing for nothing."""
    if not part or not whole:
        return ""
    percent = 100 * part / whole
    return "<1 %" if percent < 1 else f"{percent:.0f} %"


def shape(sizes: Sequence[int] | None) -> str:
    """A shape: ``1x25x5x64``; a size that is not known is a question mark."""
    if sizes is None:
        return UNKNOWN
    return "x".join(UNKNOWN if n < 0 else str(n) for n in sizes) or "scalar"


def shorten(text: str, width: int) -> str:
    """The text with its middle left out where it is wider than *width*."""
    if len(text) <= width:
        return text
    if width < 4:
        return text[: max(width, 0)]
    end = (width - 1) * 2 // 3  # the end of a layer's name says more than its start
    return f"{text[: width - 1 - end]}…{text[-end:]}"


def common_prefix(names: Iterable[str]) -> str:
    """The first part of a path (``model/``) that nearly all *names* begin with, or nothing."""
    names = [name for name in names if name]
    heads = Counter(name.partition("/")[0] for name in names if "/" in name)
    if not heads:
        return ""
    head, times = heads.most_common(1)[0]
    return f"{head}/" if times > len(names) / 2 else ""


def printable(text: str) -> str:
    """The text without characters that would break a line or a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


_PLAIN = str.maketrans("█▓▒░…·◂⋮", "#=%-~.<:")


def for_encoding(text: str, encoding: str) -> str:
    """The text as it is, or in plain characters where *encoding* has no blocks."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text.translate(_PLAIN).encode("ascii", "replace").decode()
    return text
