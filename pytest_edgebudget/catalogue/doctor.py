"""``edgebudget doctor``: whether everything is there that a run needs, and what would bring it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.budget.folder import budget_files
from pytest_edgebudget.budget.reader import read_budget
from pytest_edgebudget.catalogue.offers import stops
from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.base import Lack, Way
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.devices.ways import way_named
from pytest_edgebudget.errors import BudgetError, EdgeBudgetError
from pytest_edgebudget.paths import exists, is_folder
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.settings import read_settings
from pytest_edgebudget.types import Budget, DeviceChoice, ModelBudget, Source
from pytest_edgebudget.wiring import command_line_manager, registry_of

LIBRARIES = {
    "numpy": "",
    **{info.distribution: info.extra for info in RUNTIMES.values() if info.distribution},
    "litert-quantizer": "litert",
    "onnx": "onnx",
    "tensorflow": "tensorflow",
    "ethos-u-vela": "ethos-u",
}
"""Distributions that something needs, and the extra that brings each."""
TOOLS = {
    "valgrind": "counts instructions: apt install valgrind",
    "qemu-aarch64": "runs ARM Linux boards: apt install qemu-user",
    "qemu-system-arm": "runs Cortex-M: apt install qemu-system-arm",
    "arm-none-eabi-gcc": "compiles for Cortex-M: apt install gcc-arm-none-eabi",
    "ssh": "reaches boards: apt install openssh-client",
    "adb": "reaches phones: apt install adb",
}
"""Programs that something needs, what for, and how they come."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at: whether it is *well*, what it is, and what brings it."""

    well: bool | None
    what: str
    command: str = ""

    def __str__(self) -> str:
        mark = {True: "ok     ", False: "MISSING", None: "-      "}[self.well]
        lines = [line.strip() for line in self.command.splitlines()]
        return "\n           ".join([f"  {mark}  {self.what}", *lines])


def doctor(
    budgets: Sequence[Path], *, profile: str, run: str | None, python: str | None, root: Path
) -> tuple[str, bool]:
    """
    A report on this machine, and on the devices of *budgets* or on one.

    Args:
        budgets: budget files or folders of them; their devices are looked at.
        profile: a device, where no budget is named.
        run: the way to run there, or a board's address; the profile's own without.
        python: the interpreter on the board.
        root: the project's folder.

    Returns:
        The report, and whether what was asked for is complete. What nobody
        asked for may be missing.

    Raises EdgeBudgetError for a budget file or a profile that is wrong.
    """
    registry = registry_of(command_line_manager())
    parts = [("This machine", list(_machine(root)))]
    asked = budgets or run or profile != "host"
    if budgets:
        parts += [
            (
                f"{_shown(budget.path, root)}: {_title(budget.device)}",
                _device(budget.device, budget.models),
            )
            for budget in read_budgets(budgets, registry, root)
        ]
    elif asked:
        found = profile_named(profile)
        choice = DeviceChoice(profile=found, run=run or found.default_run, python=python)
        parts.append((_title(choice), _device(choice)))
    else:
        parts.append(("Libraries", list(_libraries())))
        parts.append(("Programs", list(_tools())))
    text = "\n".join(
        f"{title}\n" + "".join(f"{line}\n" for line in lines) for title, lines in parts
    )
    well = all(line.well is not False for _, lines in parts for line in lines)
    end = "Nothing is missing." if well else "Something is missing: see above."
    if not asked:
        end = "edgebudget devices: what that lets you measure, device by device."
    return f"{text}\n{end}\n", well


def _part(title: str, lines: Iterable[Line]) -> str:
    return "".join(f"{line}\n" for line in (title, *lines))


def _machine(root: Path) -> Iterator[Line]:
    yield Line(True, f"Python {platform.python_version()}, {sys.platform} {platform.machine()}")
    if not sys.platform.startswith("linux"):
        yield Line(None, f"ram and emulated boards need Linux, this is {sys.platform}")
    cache = read_settings(root).cache
    place = next(folder for folder in (cache, *cache.parents) if exists(folder))
    writable = os.access(place, os.W_OK)
    yield Line(writable, f"cache in {cache}", "" if writable else f"make {place} writable")


def _libraries() -> Iterator[Line]:
    for name, extra in LIBRARIES.items():
        try:
            yield Line(True, f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            command = (
                f"pip install 'pytest-edgebudget[{extra}]'" if extra else f"pip install {name}"
            )
            yield Line(None, f"{name} is not installed", command)


def _tools() -> Iterator[Line]:
    for name, use in TOOLS.items():
        found = shutil.which(name)
        what, _, command = use.partition(": ")
        yield Line(True, f"{name}: {found}") if found else Line(None, f"{name} {what}", command)


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _title(choice: DeviceChoice) -> str:
    return f"{choice.profile.name}, run {choice.run}"


def _device(choice: DeviceChoice, models: Sequence[ModelBudget] = ()) -> list[Line]:
    """What is missing for a device, or that nothing is."""
    try:
        way = way_named(choice.way)
        refusal = way.refusal(choice.profile)
        if refusal:
            return [Line(False, refusal)]
        lines = _missing(choice, way, models)
    except EdgeBudgetError as error:
        lines = [Line(False, error.message, error.hint)]
    return lines or [Line(True, way.help)]


def _missing(choice: DeviceChoice, way: Way, models: Sequence[ModelBudget]) -> list[Line]:
    """What these models need; without any, what a model of some format may need is told, too."""
    lacks = way.lacks(choice)
    if not any(lack.formats for lack in lacks):
        return [Line(False, lack.what, lack.command) for lack in lacks]
    formats = way.open(choice).formats
    wanted = {_format(model.source, formats) for model in models} or set(formats)
    well = None if not models and not stops(lacks, formats) else False
    needed = [lack for lack in lacks if not lack.formats or wanted.intersection(lack.formats)]
    return [Line(well, _words(lack), lack.command) for lack in needed]


def _format(source: Source, formats: Sequence[str]) -> str:
    """In which format a model would run: its own, or what it is exported to."""
    own = source.suffix[1:] if isinstance(source, Path) else ""
    return own if own in formats else formats[0]


def _words(lack: Lack) -> str:
    formats = " and ".join(f".{fmt}" for fmt in lack.formats)
    return f"{lack.what} (for {formats} models)" if formats else lack.what


def read_budgets(paths: Iterable[Path], registry: Registry, root: Path) -> Iterator[Budget]:
    """Budget files; all mistakes of one at once."""
    for path in paths:
        if not exists(path):
            raise EdgeBudgetError(f"{path}: no such file or folder")
        for file in budget_files(path) if is_folder(path) else [path.resolve()]:
            try:
                yield read_budget(file, registry, root=root)
            except BudgetError as error:
                mistakes = "\n  ".join(str(mistake) for mistake in error.mistakes)
                raise EdgeBudgetError(f"{path}: not a budget file", mistakes) from error
