"""What a worker does with a task. Everything here runs over there."""

from __future__ import annotations

import functools
import os
import pickle
import platform
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from pytest_edgebudget import errors
from pytest_edgebudget.budget.runs import read_runs
from pytest_edgebudget.cluster.noting import NotingStore
from pytest_edgebudget.cluster.parcels import settled, unpacked
from pytest_edgebudget.cluster.tasks import Build, Case, Failure, Measure, Reply, Task, version
from pytest_edgebudget.devices import open_device
from pytest_edgebudget.errors import DeviceError, EdgeBudgetError, MissingExtra
from pytest_edgebudget.extensions import command_line_manager, registry_of
from pytest_edgebudget.fit.bench import Bench, Rules
from pytest_edgebudget.jobs import run
from pytest_edgebudget.jobs.resolve import resolve
from pytest_edgebudget.metrics.own import own_metric
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.settings import CACHE_LIMIT
from pytest_edgebudget.types import DeviceChoice, Unit
from pytest_edgebudget.units import parse

CACHE = "EDGEBUDGET_WORKER_CACHE"
"""The variable that names a worker's own cache; default: in the user's cache folder."""

RUN = "EDGEBUDGET_WORKER_RUN"
"""The variable that says where the worker's board is: ``raspberry-pi-4=ssh://pi@10.0.0.7``."""

IMPORTING = 120.0


@dataclass(frozen=True, slots=True)
class Held:
    """A case as it was received, and what the source model answered here."""

    case: Case
    answered: dict[tuple[str, str, int | None], Any]


_HELD: dict[str, Held] = {}
"""Cases by their digest: one comes with many tasks."""

KEPT = 8


def work(asked_by: str, digest: str, case: bytes, task: bytes) -> bytes:
    """
    Do *task* of *case* (both pickled; *digest* is the case's) for a search of version *asked_by*.

    Returns a pickled `Reply`. A worker of another version unpickles nothing and says so.
    """
    where = platform.node()
    if asked_by != version():
        return pickle.dumps(Reply(where=where, failure=_other_version(asked_by)))
    return pickle.dumps(_done(_held(digest, case), pickle.loads(task), where))  # noqa: S301


def _other_version(asked_by: str) -> Failure:
    return Failure(
        kind="DeviceError",
        message=f"the worker has pytest-edgebudget {version()}, the search {asked_by}",
        hint="install the same version on both: results would differ",
    )


def _held(digest: str, case: bytes) -> Held:
    if digest not in _HELD:
        while len(_HELD) >= KEPT:
            _HELD.pop(next(iter(_HELD)))
        _HELD[digest] = Held(pickle.loads(case), {})  # noqa: S301
    return _HELD[digest]


def _done(held: Held, task: Task, where: str) -> Reply:
    case = held.case
    named: dict[str, str] = {}
    store = None
    try:
        store = NotingStore(_cache(case), int(parse(CACHE_LIMIT, Unit.BYTES)))
        places = {p.sha256: unpacked(p, store) for p in (*held.case.files, *task.files)}
        named |= {str(places[parcel.sha256]): parcel.path for parcel in case.files}
        bench = _bench(held, store, places)
        with closing(bench.device):
            value = _value(bench, task, store, places)
    except EdgeBudgetError as error:
        return replace(_reply(store, case, task, where), failure=_failure(error, named))
    except OSError as error:
        what = f"{error.filename or 'a file'}: {error.strerror or error}"
        said = Failure(kind="DeviceError", message=what, hint="look at the worker's disk")
        return replace(_reply(store, case, task, where), failure=said)
    return replace(_reply(store, case, task, where), value=value)


def _reply(store: NotingStore | None, case: Case, task: Task, where: str) -> Reply:
    """What may be new to the one who asked; who sees this cache needs no files."""
    if store is None or case.cache:
        return Reply(where=where)
    known = {each.sha256 for each in (*case.files, *task.files)}
    if isinstance(task, Measure):
        known |= set(store.files)
    return Reply(where=where, files=store.parcels(known), records=store.noted())


def _value(bench: Bench, task: Task, store: NotingStore, places: Mapping[str, Path]) -> Any:
    if isinstance(task, Build):
        for step in task.recipe.steps:
            if step.name not in bench.passes:
                raise _unknown("pass", step.name)
        for record in task.records:
            store.write_record(record.kind, dict(record.key), record.value)
        return bench.build_here(task.recipe, tried=task.tried)
    artifact = settled(task.artifact, places) if places else task.artifact
    return bench.measure_here(artifact, task.limits, task.split, task.first)


def _cache(case: Case) -> Path:
    if case.cache:
        return Path(case.cache)
    if named := os.environ.get(CACHE):
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "pytest-edgebudget" / "worker"


def _bench(held: Held, store: NotingStore, places: Mapping[str, Path]) -> Bench:
    """The model as it is here, its files at *places*."""
    case, registry = held.case, _registry()
    root = Path(case.root) if Path(case.root).is_dir() else Path.cwd()
    _check_known(case, registry)
    _check_functions(case, root)
    source, data = case.source, case.data
    if case.files:
        source = settled(source, places)
        data = replace(data, path=places[data.sha256]) if data else None
    own = {each.name: own_metric(each, root) for each in case.model.own_metrics}
    return Bench(
        model=case.model,
        source=source,
        data=data,
        lock=None,
        device=open_device(_at_hand(case.choice), registry.ways),
        metrics={**registry.metrics, **own},
        passes=registry.passes,
        rules=Rules(today=date.today()),
        store=store,
        root=root,
        say=lambda text: None,
        answered=held.answered,
    )


@functools.cache
def _registry() -> Registry:
    return registry_of(command_line_manager())


def _at_hand(choice: DeviceChoice) -> DeviceChoice:
    """The device where this worker has it."""
    runs = read_runs(os.environ.get(RUN, "").split())
    url = runs.get(choice.profile.name)
    return replace(choice, run=url) if url else choice


def _check_known(case: Case, registry: Registry) -> None:
    own = {each.name for each in case.model.own_metrics}
    for limit in case.model.limits:
        if limit.metric not in registry.metrics and limit.metric not in own:
            raise _unknown("metric", limit.metric)


def _unknown(kind: str, name: str) -> DeviceError:
    return DeviceError(
        f"the worker has no {kind} {name}",
        "a conftest.py stays where the search is: let a package that is installed on the"
        " worker, too, add it through the entry-point group pytest_edgebudget",
    )


def _check_functions(case: Case, root: Path) -> None:
    """Raise `DeviceError` for a function of the user's that is not to be had here."""
    names = [str(each.function) for each in case.model.own_metrics]
    if case.source.tuning is not None:
        names.append(str(case.source.tuning.function))
    for name in names:
        _check_function(name, root)


@functools.cache
def _check_function(name: str, root: Path) -> None:
    purpose = f"importing {name}"
    try:
        run(f"{__name__}:importable", {"name": name}, root=root, timeout=IMPORTING, purpose=purpose)
    except EdgeBudgetError as error:
        raise DeviceError(
            f"the worker cannot import {name}: {error.message}",
            f"put its module into {root} there, or install it as a package",
        ) from None


def importable(payload: Mapping[str, Any]) -> bool:
    """In the child process: whether there is such a function; raises where there is none."""
    return callable(resolve(payload["name"]))


def _failure(error: EdgeBudgetError, named: Mapping[str, str]) -> Failure:
    """*error* with the names that files have where the search is."""
    message, hint = error.message, error.hint
    for here, there in named.items():
        message, hint = message.replace(here, there), hint.replace(here, there)
    kinds = [kind.__name__ for kind in type(error).__mro__ if hasattr(errors, kind.__name__)]
    missing = None
    if isinstance(error, MissingExtra):
        missing = (error.library, error.extra, error.purpose)
    return Failure(kind=kinds[0], message=message, hint=hint, missing=missing)


def raised(failure: Failure, where: str) -> EdgeBudgetError:
    """
    The error that *failure* was, for the one who asked.

    What is wrong with the machine *where* names it; what is wrong with a candidate
    is the same everywhere.
    """
    if failure.missing is not None:
        missing = MissingExtra(*failure.missing)
        missing.message += f" on {where}"
        return missing
    kind = getattr(errors, failure.kind)
    candidate = issubclass(kind, errors.BuildError | errors.ModelError)
    found = kind(failure.message if candidate else f"{where}: {failure.message}", failure.hint)
    assert isinstance(found, EdgeBudgetError)
    return found
