"""The project as it was at a git reference, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.errors import EdgeBudgetError

PREFIX = "git:"
PATIENCE = 600.0  # seconds for a checkout, which may fetch large files


@dataclass(frozen=True, slots=True)
class Reference:
    """A commit: as the user *named* it, and its *commit* id; *top* is the repository's folder."""

    named: str
    commit: str
    top: Path

    @property
    def shown(self) -> str:
        """``git:main (1a2b3c4d)``."""
        return f"{PREFIX}{self.named} ({self.commit[:8]})"


def resolve(text: str, root: Path) -> Reference:
    """
    What ``git:REF`` means in the repository around *root*.

    Raises `EdgeBudgetError` when it means nothing.
    """
    if not text.startswith(PREFIX) or text == PREFIX:
        raise EdgeBudgetError(f"{text}: write git:REF, such as git:main or git:v1.2")
    named = text.removeprefix(PREFIX)
    top = _git(root, "rev-parse", "--show-toplevel")
    if not top:
        raise EdgeBudgetError(f"{text}: {root} is in no git repository (or git is not installed)")
    commit = _git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{named}^{{commit}}"
    )
    if not commit:
        raise EdgeBudgetError(
            f"{text}: the repository has no commit of that name",
            "in CI, fetch it first: git fetch origin main, and write git:origin/main",
        )
    return Reference(named, commit, Path(top))


def export(reference: Reference, folder: Path) -> None:
    """
    Write all files of the commit into *folder*; the repository and its index stay as they are.

    Raises `EdgeBudgetError` when git cannot (a partial clone without a network).
    """
    with tempfile.TemporaryDirectory(prefix="edgebudget-") as name:
        index = {"GIT_INDEX_FILE": str(Path(name, "index"))}
        _must(reference, index, "read-tree", reference.commit)
        _must(reference, index, "checkout-index", "--all", "--quiet", f"--prefix={folder}{os.sep}")


def _git(folder: Path, *words: str) -> str:
    try:
        asked = subprocess.run(
            ["git", *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _must(reference: Reference, index: Mapping[str, str], *words: str) -> None:
    try:
        ran = subprocess.run(
            ["git", *words],
            cwd=reference.top,
            env={**os.environ, **index},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EdgeBudgetError(f"{reference.shown}: git {words[0]} takes too long") from error
    if ran.returncode:
        said = (ran.stderr.strip().splitlines() or ["without a word"])[-1]
        raise EdgeBudgetError(f"{reference.shown} cannot be checked out: {said}")
