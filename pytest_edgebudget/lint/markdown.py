"""A rule's documentation as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from textwrap import dedent

SECTIONS = ("What it finds", "Why it hurts", "Example", "Instead")


def markdown(doc: str) -> str:
    """
    *doc* with its sections as bold headings and its examples as code blocks.

    A section is a line that is the section's name, and what follows it.
    """
    parts = [(heading, _body(lines)) for heading, lines in sections(doc)]
    texts = [f"**{heading}**\n\n{body}" if heading else body for heading, body in parts]
    return "\n\n".join(text for text in texts if text.strip()) + "\n"


def sections(doc: str) -> Iterator[tuple[str, list[str]]]:
    """The sections' names and lines; what comes first has no name."""
    name, lines = "", list[str]()
    for line in doc.splitlines():
        if line.strip().rstrip(":") in SECTIONS:
            yield name, lines
            name, lines = line.strip().rstrip(":"), []
        else:
            lines.append(line)
    yield name, lines


def _body(lines: Iterable[str]) -> str:
    rest = dedent("\n".join(lines)).strip("\n").splitlines()
    written: list[str] = []
    while rest:
        line = rest.pop(0)
        if not line.endswith("::"):
            written.append(line.replace("``", "`"))
            continue
        block = list(takewhile(lambda each: not each.strip() or each[0] == " ", rest))
        del rest[: len(block)]
        intro = line[:-1].replace("``", "`") if line.strip() != "::" else ""
        code = dedent("\n".join(block)).strip("\n")
        written += [*([intro, ""] if intro else []), "```", *code.splitlines(), "```", ""]
    return "\n".join(written).strip("\n")
