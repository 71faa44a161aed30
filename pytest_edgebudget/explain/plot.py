"""The memory map as a picture: steps to the right, addresses upwards."""

from __future__ import annotations

from pathlib import Path

from pytest_edgebudget.errors import EdgeBudgetError, MissingExtra
from pytest_edgebudget.explain.account import Account
from pytest_edgebudget.explain.picture import draw

_ZOOM = 2.0
"""Pixels of a PNG for each unit of the SVG: sharp on dense screens."""


def write_plot(account: Account, path: Path) -> None:
    """
    Draw the memory map into *path*: ``.svg``, or ``.png`` (with resvg-py).

    Raises:
        EdgeBudgetError: another suffix, or the file cannot be written.
        MissingExtra: a PNG without resvg-py.
    """
    check_suffix(path)
    if not account.plan.live:
        raise EdgeBudgetError(f"{account.path}: no op runs, so there is no memory map to draw")
    write_picture(draw(account), path)


def check_suffix(path: Path) -> None:
    """Raise `EdgeBudgetError` unless *path* is one of a picture."""
    if path.suffix.lower() not in (".svg", ".png"):
        raise EdgeBudgetError(f"{path}: a plot is .svg or .png", "name the file accordingly")


def write_picture(picture: str, path: Path) -> None:
    """
    Write an SVG into *path*: as it is, or as ``.png`` (with resvg-py).

    Raises:
        EdgeBudgetError: the file cannot be written.
        MissingExtra: a PNG without resvg-py.
    """
    content = picture.encode() if path.suffix.lower() == ".svg" else _as_png(picture)
    try:
        path.write_bytes(content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EdgeBudgetError(
            f"{path}: cannot be written ({reason})", "check the folder"
        ) from error


def _as_png(picture: str) -> bytes:
    try:
        import resvg_py
    except ImportError as error:
        raise MissingExtra("resvg-py", "plot", "a plot as .png") from error
    return bytes(resvg_py.svg_to_bytes(svg_string=picture, zoom=_ZOOM))
