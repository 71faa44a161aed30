"""Where GitHub shows a finding: paths from the top of the checkout, lines of text files."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_edgebudget.lint.result import Named, Reported


def checkout(folder: Path) -> Path:
    """The top of the version control that *folder* is in; else *folder* itself."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def from_checkout(path: Path, top: Path) -> str:
    """*path* (from the current folder) from the top of the checkout, with slashes."""
    whole = Path(os.path.normpath(path.absolute()))
    return (whole.relative_to(top) if whole.is_relative_to(top) else whole).as_posix()


def place_of(each: Reported, named: Named | None) -> tuple[Path, int]:
    """The budget file's line that names the model, else the file and line itself."""
    if named is not None and not each.line:
        return named.path, named.line
    return each.path, each.line
