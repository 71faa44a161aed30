"""A very small SVG writer: rectangles, lines, areas, text, tooltips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

FONT = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"
_WIDTH_OF_A_CHARACTER = 0.6
"""Of the font's size; DejaVu Sans's digits are 0.636, its lower case is narrower."""


def escape(text: str) -> str:
    """Text as it may stand in XML; characters that XML forbids are replaced."""
    legal = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        legal = legal.replace(char, entity)
    return legal


def text_width(text: str, size: float) -> float:
    """About how wide *text* is in a font of *size*, in the same unit."""
    return len(text) * size * _WIDTH_OF_A_CHARACTER


def rectangle(
    x: float, y: float, width: float, height: float, *, title: str = "", **more: str
) -> str:
    """A rectangle; *title* is its tooltip."""
    place = _attributes({"x": _n(x), "y": _n(y), "width": _n(width), "height": _n(height), **more})
    if not title:
        return f"<rect{place}/>"
    return f"<rect{place}><title>{escape(title)}</title></rect>"


def line(points: Sequence[tuple[float, float]], **more: str) -> str:
    """A line through *points*."""
    path = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    return f"<polyline{_attributes({'points': path, 'fill': 'none', **more})}/>"


def area(points: Sequence[tuple[float, float]], **more: str) -> str:
    """What lies between *points*."""
    path = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    return f"<polygon{_attributes({'points': path, **more})}/>"


def text(x: float, y: float, content: str, *, size: float = 11, **more: str) -> str:
    """Text whose baseline begins at (x, y)."""
    place = _attributes({"x": _n(x), "y": _n(y), "font-size": _n(size), **more})
    return f"<text{place}>{escape(content)}</text>"


def document(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """The whole picture on white."""
    size = f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{FONT}">',
        f"<title>{escape(title)}</title>",
        rectangle(0, 0, width, height, fill="#ffffff"),
    )
    return "\n".join((*head, *parts, "</svg>")) + "\n"


def _attributes(values: dict[str, str]) -> str:
    """Names as in SVG; an underscore stands for a hyphen."""
    return "".join(f' {name.replace("_", "-")}="{escape(value)}"' for name, value in values.items())


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
