"""What a path is, asked so that no path is an error: too long, or in a folder that is closed."""

from __future__ import annotations

import os
from pathlib import Path

# Path.is_dir() and its like raise OSError for a path that is too long.


def is_folder(path: Path) -> bool:
    """Whether there is a folder; False for what cannot be asked."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """Whether there is a regular file; False for what cannot be asked."""
    return os.path.isfile(path)  # noqa: PTH113


def exists(path: Path) -> bool:
    """Whether there is anything; False for what cannot be asked."""
    return os.path.exists(path)  # noqa: PTH110
