"""Texts of strangers on a terminal: names in models, paths of files."""

from __future__ import annotations


def printable(text: str, keep: str = "") -> str:
    """
    *text* with escapes in place of what could steer a terminal or break a line.

    Characters of *keep* stay: the ends of lines of a longer text.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)
