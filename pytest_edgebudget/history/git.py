"""Which commit a run is of, by one call of git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 10.0  # seconds for git to look through a large repository
COMMAND = ("git", "status", "--porcelain=v2", "--branch", "--untracked-files=no")
BRANCHES = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME")
"""CI checks a commit out, and tells its branch here."""


@dataclass(frozen=True, slots=True)
class GitFacts:
    """The *commit*, its *branch*, and whether tracked files were changed; empty without git."""

    commit: str = ""
    branch: str = ""
    dirty: bool = False


def git_facts(folder: Path) -> GitFacts:
    """What git says of the repository around *folder*; nothing where there is none."""
    try:
        asked = subprocess.run(
            COMMAND,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return GitFacts()
    return parse(asked.stdout, os.environ)


def parse(output: str, environment: Mapping[str, str]) -> GitFacts:
    """Read the output of ``git status --porcelain=v2 --branch``."""
    commit = branch = ""
    dirty = False
    for line in output.splitlines():
        if line.startswith("# branch.oid "):
            commit = line.split()[-1]
        elif line.startswith("# branch.head "):
            branch = line.removeprefix("# branch.head ")
        elif line and not line.startswith("#"):
            dirty = True
    if commit == "(initial)":
        commit = ""
    if commit and branch == "(detached)":
        branch = next((environment[name] for name in BRANCHES if environment.get(name)), "")
    return GitFacts(commit, branch, dirty)
