"""The ``[device]`` table: a profile, and how to run there."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.budget.acceleration import AccelerationReader, Target
from pytest_edgebudget.budget.files import missing
from pytest_edgebudget.budget.load import Loader
from pytest_edgebudget.budget.mistakes import Mistakes, suggest
from pytest_edgebudget.budget.runs import wrong_run
from pytest_edgebudget.budget.tree import Node
from pytest_edgebudget.devices import load_profile
from pytest_edgebudget.devices.ways import ADDRESSES
from pytest_edgebudget.errors import BudgetError, EdgeBudgetError, Place
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.types import DeviceChoice, Profile, Unit
from pytest_edgebudget.units import parse

HOST = "host"
STATIC = "static"
LONGEST = 3600.0  # seconds of load


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
        run = self._run(table.get("run"), profile, node.place)
        runtime = self._runtime(table.get("runtime"), profile)
        runtimes = (runtime,) if runtime else profile.runtimes
        wrong = "run" in table and self.mistakes.about(table["run"].place)
        target = Target(profile=profile, runtimes=runtimes, run="" if wrong else run)
        delegate, provider = table.get("delegate"), table.get("provider")
        beside = AccelerationReader(self.loader, self.mistakes)
        return DeviceChoice(
            profile=profile,
            run=run,
            threads=self._threads(table.get("threads"), profile),
            runtime=runtime,
            python=self._python(table.get("python"), table.get("run")),
            samples=self._samples(table.get("samples")),
            sustained=self._sustained(table.get("sustained")),
            delegate=beside.delegate(delegate, target),
            provider=beside.provider(provider, target),
            options=beside.options(table.get("options"), delegate, provider),
            benchmark=self._benchmark(table.get("benchmark")),
            energy_command=_texts(table.get("energy_command")),
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
        wrong = wrong_run(run, profile, self.registry.ways)
        if wrong is not None and (node or wrong.unknown):
            self.mistakes.add(where, wrong.message, wrong.hint)
        return STATIC if wrong is not None and wrong.unknown else run

    def _benchmark(self, node: Node | None) -> str | None:
        """A file, relative to the one that names it."""
        if node is None:
            return None
        path = self.loader.absolute(node.text, node)
        if not _is_file(path):
            self.mistakes.add(node.place, f"there is no file {node.text}")
        return str(path)

    def _samples(self, node: Node | None) -> int | None:
        if node is None or not isinstance(node.value, int):
            return None
        if node.value < 1:
            self.mistakes.add(node.place, "at least one sample must run")
        return node.value

    def _sustained(self, node: Node | None) -> float | None:
        if node is None:
            return None
        try:
            seconds = parse(node.text, Unit.SECONDS)
        except ValueError as error:
            self.mistakes.add(node.place, str(error), 'write "5 min" or "30 s"')
            return None
        if seconds > LONGEST:
            self.mistakes.add(node.place, "at most an hour", 'write "5 min"')
        return seconds

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

    def _python(self, node: Node | None, run: Node | None) -> str | None:
        """
        A command found on PATH, or a path relative to the file that names it.

        On a device with an address it is one of the device's own, as it is written.
        """
        if node is None:
            return None
        if run is not None and run.text.partition("://")[0] in ADDRESSES:
            return node.text
        plain = os.sep not in node.text
        found = shutil.which(node.text) if plain else str(self.loader.absolute(node.text, node))
        if found and _is_file(Path(found)) and os.access(found, os.X_OK):
            return found
        self.mistakes.add(node.place, f"there is no Python interpreter {node.text}")
        return None


def _texts(node: Node | None) -> tuple[str, ...]:
    return tuple(each.text for each in node.elements) if node else ()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
