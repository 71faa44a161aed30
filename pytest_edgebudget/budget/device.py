"""The ``[device]`` table: a profile, and how to run there."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.budget.files import missing
from pytest_edgebudget.budget.later import NOT_YET, RUNS
from pytest_edgebudget.budget.load import Loader
from pytest_edgebudget.budget.mistakes import Mistakes, suggest
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.devices import load_profile
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import BudgetError, EdgeBudgetError, Place
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.types import DeviceChoice, Profile

HOST = "host"
STATIC = "static"


@dataclass(frozen=True, slots=True)
class DeviceReader:
    """Reads the device of a budget file; what is wrong with it goes to *mistakes*."""

    registry: Registry
    loader: Loader
    mistakes: Mistakes

    def read(self, node: Node) -> DeviceChoice | None:
        """The device; None when its profile cannot be read, which is noted."""
        table = node.table
        profile = self._profile(table.get("profile"), node.place)
        if profile is None:
            return None
        return DeviceChoice(
            profile=profile,
            run=self._run(table.get("run"), profile, node.place),
            threads=self._threads(table.get("threads"), profile),
            runtime=self._runtime(table.get("runtime"), profile),
            python=self._python(table.get("python")),
        )

    def _profile(self, node: Node | None, place: Place) -> Profile | None:
        path = self._profile_path(node, place)
        if path is None:
            return None
        where = node.place if node else place
        try:
            return load_profile(path)
        except BudgetError as error:
            for it in error.mistakes:
                said = f"{it.place.file}:{it.place.line}: {it.place.key}: {it.message}"
                self.mistakes.add(where, said, it.hint)
        except EdgeBudgetError as error:
            self.mistakes.add(where, error.message, error.hint)
        return None

    def _profile_path(self, node: Node | None, place: Place) -> Path | None:
        name = node.text if node else HOST
        known = self.registry.profiles
        if name in known:
            return known[name]
        if node is None or not (name.endswith(".toml") or "/" in name):
            hint = suggest(name, known)
            self.mistakes.add(node.place if node else place, f'there is no profile "{name}"', hint)
            return None
        path = self.loader.absolute(name, node)
        if not _is_file(path):
            error = missing(path, name)
            self.mistakes.add(node.place, str(error), error.hint)
            return None
        return path

    def _run(self, node: Node | None, profile: Profile, place: Place) -> str:
        run = node.text if node else profile.default_run
        where = node.place if node else place
        if run == HOST and all(RUNTIMES[name].tried_in for name in profile.runtimes):
            self.mistakes.add(
                where,
                f"{' and '.join(profile.runtimes)} cannot run on this machine yet",
                f'write run = "{STATIC}": what the file itself tells is checked all the same',
            )
        if run in (HOST, STATIC):
            return run
        hint = f'write run = "{HOST}"'
        if run.startswith(RUNS):
            self.mistakes.add(where, f'run = "{run}" is {NOT_YET}', hint)
        else:
            self.mistakes.add(where, f'there is no way to run called "{run}"', hint)
        return HOST

    def _threads(self, node: Node | None, profile: Profile) -> int:
        if node is None or not isinstance(node.value, int):
            return 1
        if node.value < 1:
            self.mistakes.add(node.place, "at least one thread runs a model")
        elif profile.cores is not None and node.value > profile.cores:
            self.mistakes.add(node.place, f"{profile.name} has {profile.cores} cores")
        return node.value

    def _runtime(self, node: Node | None, profile: Profile) -> str | None:
        if node is None:
            return None
        if node.text not in profile.runtimes:
            self.mistakes.add(
                node.place,
                f'{profile.name} has no runtime "{node.text}"',
                suggest(node.text, profile.runtimes),
            )
        return node.text

    def _python(self, node: Node | None) -> str | None:
        """A command found on PATH, or a path relative to the file that names it."""
        if node is None:
            return None
        plain = os.sep not in node.text
        found = shutil.which(node.text) if plain else str(self.loader.absolute(node.text, node))
        if found and _is_file(Path(found)) and os.access(found, os.X_OK):
            return found
        self.mistakes.add(node.place, f"there is no Python interpreter {node.text}")
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
