"""pytest's options and the ini key of the gate, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_edgebudget.paths import is_file, is_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INI = "edge_budget"


def add_options(parser: pytest.Parser) -> None:
    """Add ``--edge-budget`` and its companions."""
    group = parser.getgroup("edge budgets", "device budgets of machine-learning models")
    group.addoption(
        "--edge-budget",
        action="append",
        default=[],
        metavar="PATH",
        help="gate the models of this budget file, or of all *.toml in this folder; repeatable",
    )
    _add_outputs(group)
    group.addoption(
        "--edge-budget-against",
        metavar="git:REF",
        help="judge max_regression against the models at this git reference, timed in the same run",
    )
    group.addoption(
        "--edge-budget-update",
        action="store_true",
        help="write what was chosen and read into the lock of each budget file",
    )
    group.addoption(
        "--edge-budget-update-new",
        action="store_true",
        help="add to the lock what it does not have yet, and change nothing else in it",
    )
    group.addoption(
        "--edge-budget-run",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="where the models of this budget file, or profile, run: pi4=ssh://pi@pi4.local; "
        "repeatable",
    )
    group.addoption(
        "--edge-budget-strict",
        action="store_true",
        help="an undecided limit fails",
    )
    group.addoption(
        "--edge-budget-no-optimize",
        action="store_true",
        help="gate each model as it is, without any optimization",
    )
    parser.addini(
        INI,
        type="paths",
        default=[],
        help="budget files, or folders of them, that belong to a run that names no paths",
    )


def _add_outputs(group: pytest.OptionGroup) -> None:
    """What a run writes beside its terminal report."""
    group.addoption(
        "--edge-budget-report",
        action="append",
        default=[],
        metavar="FORMAT:PATH",
        help="write a report (github, gitlab-metrics, gitlab-quality, html, json, markdown, "
        "sarif; html+samples shows samples whose answer changed: your data); repeatable",
    )
    group.addoption(
        "--edge-budget-artifacts",
        metavar="DIR",
        help="copy the files that were gated into this folder",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    What was asked for.

    *files* are resolved budget files in the order of the command line; *only*
    says that nothing but budgets was asked for, so that the project's own
    tests do not run; *runs* maps names of files and profiles to where they run.
    """

    files: tuple[Path, ...] = ()
    positional: tuple[Path, ...] = ()
    only: bool = False
    reports: tuple[str, ...] = ()
    artifacts: Path | None = None
    against: str = ""
    update: bool = False
    update_new: bool = False
    strict: bool = False
    optimize: bool = True
    runs: Mapping[str, str] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """The resolved paths in plain types, for xdist's workers."""
        return {
            "files": [str(path) for path in self.files],
            "positional": [str(path) for path in self.positional],
            "only": self.only,
        }

    @property
    def claimed(self) -> tuple[Path, ...]:
        """
        Files that pytest collects by its own paths.

        The others are added afterwards; one that pytest meets on its walk
        through a folder is not claimed there, or it would be gated twice.
        """
        return self.files if self.only else self.positional

    @property
    def all_files(self) -> tuple[Path, ...]:
        """Files from options, the ini key and the command line's own paths, once each."""
        return tuple(dict.fromkeys((*self.files, *self.positional)))


def read_options(config: pytest.Config) -> Options:
    """
    The options of this run.

    Raises `pytest.UsageError` for a path that is not there and a folder
    without budget files.
    """
    files, positional, only = _told(config) or _paths(config)
    base = config.invocation_params.dir
    artifacts = config.getoption("--edge-budget-artifacts")
    optimize = not config.getoption("--edge-budget-no-optimize")
    updates = [config.getoption(f"--edge-budget-update{which}") for which in ("", "-new")]
    if any(updates) and not optimize:
        raise pytest.UsageError(
            "--edge-budget-update with --edge-budget-no-optimize would lock models as they are"
        )
    if all(updates):
        raise pytest.UsageError("--edge-budget-update and --edge-budget-update-new: choose one")
    return Options(
        files=files,
        positional=positional,
        only=only,
        reports=tuple(config.getoption("--edge-budget-report")),
        artifacts=base / artifacts if artifacts else None,
        against=config.getoption("--edge-budget-against") or "",
        update=updates[0],
        update_new=updates[1],
        strict=config.getoption("--edge-budget-strict"),
        optimize=optimize,
        runs=_runs(config),
    )


def _runs(config: pytest.Config) -> Mapping[str, str]:
    texts = config.getoption("--edge-budget-run")
    if not texts:
        return {}
    from pytest_edgebudget.budget.runs import read_runs
    from pytest_edgebudget.errors import EdgeBudgetError

    try:
        return read_runs(texts)
    except EdgeBudgetError as error:
        raise pytest.UsageError(f"--edge-budget-run {error}") from error


Paths = tuple[tuple[Path, ...], tuple[Path, ...], bool]


def _told(config: pytest.Config) -> Paths | None:
    """What the controller tells an xdist worker, which is given rewritten paths."""
    plain = getattr(config, "workerinput", {}).get("edgebudget")
    if plain is None:
        return None
    files, positional = (tuple(map(Path, plain[key])) for key in ("files", "positional"))
    return files, positional, bool(plain["only"])


def _paths(config: pytest.Config) -> Paths:
    asked, base = config.getoption("--edge-budget"), config.invocation_params.dir
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    paths = [base / path for path in asked]
    if not asked and not named:
        paths = list(config.getini(INI))
    files = tuple(dict.fromkeys(_expand(paths)))
    positional = tuple(_positional(config.args, base)) if named else ()
    return files, positional, bool(asked) and not named


def _expand(paths: Iterable[Path]) -> Iterable[Path]:
    from pytest_edgebudget.budget.folder import budget_files

    for path in paths:
        if is_folder(path):
            found = budget_files(path)
            if not found:
                raise pytest.UsageError(f"--edge-budget {path}: no *.toml in this folder")
            yield from found
        elif is_file(path):
            yield path.resolve()
        else:
            raise pytest.UsageError(f"--edge-budget {path}: no such file or folder")


def _positional(args: Iterable[str], base: Path) -> Iterable[Path]:
    for arg in args:
        path = base / arg.split("::")[0]
        if path.suffix == ".toml" and is_file(path):
            yield path.resolve()
