"""
The lock was read with another runtime, version, device or data than this budget has now.

What it finds
    Locked readings whose key differs from what a run would use today: the runtime or its
    installed version, the profile, the threads, the way to run, or the bytes of the data. It is
    a warning for a limit with ``max_regression``, and a note for others.

Why it hurts
    Such readings are not compared. A limit with ``max_regression`` is then unmeasured and fails;
    one of another metric is judged by a recipe that was chosen under other conditions. Runtimes
    do change: the same int8 model can answer differently in two versions of one runtime.

Example
    ``budgets/pi4.toml:12: EB107 warning: the lock's accuracy is of litert 2.2.0, a run now
    takes litert 2.3.0``

Instead
    Run ``pytest --edge-budget FILE --edge-budget-update`` and review the diff of the lock, or
    install the version that it names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_edgebudget.lint.base import BudgetFile, Finding, Rule, Severity
from pytest_edgebudget.lint.budgets._places import at
from pytest_edgebudget.types import Budget, DeviceChoice, Limit, ModelBudget, Reading

if TYPE_CHECKING:
    from pytest_edgebudget.devices.base import Identity


ESTIMATED_BY = "estimated by"
"""The pair that the comparison key of an estimate has, see `measure.estimates`."""


def check(file: BudgetFile) -> Iterator[Finding]:
    """Locked readings that a run today would not compare with."""
    from pytest_edgebudget.errors import ModelError
    from pytest_edgebudget.lock import read_lock

    try:
        lock = read_lock(file.path)
    except ModelError as error:
        yield Finding(error.message, instead=error.hint, severity=Severity.ERROR)
        return
    for model in file.budget.models:
        entry = lock.entries.get(model.name)
        if entry is not None:
            yield from _model(file.budget, model, entry.readings)


def _model(
    budget: Budget, model: ModelBudget, readings: Mapping[str, Reading]
) -> Iterator[Finding]:
    """One finding for each difference: the first limit that it matters for says it."""
    told: set[str] = set()
    compared = sorted(model.limits, key=lambda limit: limit.max_regression is None)
    for limit in compared:
        reading = readings.get(limit.name)
        for text in _differences(budget.device, model, reading) if reading else ():
            if text not in told:
                told.add(text)
                message = f"the lock's {limit.name} is of {text}"
                yield at(limit.place, message, severity=_severity(limit))


def _severity(limit: Limit) -> Severity | None:
    return None if limit.max_regression is not None else Severity.NOTE


def _differences(choice: DeviceChoice, model: ModelBudget, reading: Reading) -> Iterator[str]:
    key = dict(reading.key)
    for name, today in _today(choice).items():
        if name in key and key[name] != today:
            yield f"{name} {key[name]}, the budget has {today}"
    if ESTIMATED_BY in key:
        yield from _table(key)
    elif "runtime" in key:
        yield from _runtime(choice, model, key)
    if "data" in key and isinstance(model.data, Path):
        from pytest_edgebudget.store.files import digest

        if not digest(model.data).startswith(key["data"]):
            yield f"other data than {model.data.name} holds now"


def _today(choice: DeviceChoice) -> dict[str, str]:
    return {"device": choice.profile.name, "run": choice.way, "threads": str(choice.threads)}


def _table(key: Mapping[str, str]) -> Iterator[str]:
    """Another table of estimates than the one that is installed."""
    from pytest_edgebudget.measure.estimates import estimator

    table = key[ESTIMATED_BY].startswith("table ")  # a profile's own calibration is its own
    if table and key[ESTIMATED_BY] != (today := estimator()):
        yield f"the estimator's {key[ESTIMATED_BY]}, a run now takes {today}"


def _runtime(choice: DeviceChoice, model: ModelBudget, key: Mapping[str, str]) -> Iterator[str]:
    """Another runtime than would run the model now, or another version of it."""
    now = _identity(choice, model)
    if now is None:
        return
    locked = f"{key['runtime']} {key.get('version', '')}".strip()
    if locked != (today := f"{now.runtime} {now.version}".strip()):
        yield f"{locked}, a run now takes {today}"


def _identity(choice: DeviceChoice, model: ModelBudget) -> Identity | None:
    """
    The runtime that would run the model here; None where there is none, which a run says.

    Nor is a board asked, to which the linter would have to connect.
    """
    from pytest_edgebudget.devices import open_device
    from pytest_edgebudget.devices.ways import ADDRESSES
    from pytest_edgebudget.errors import EdgeBudgetError

    if choice.way in ADDRESSES:
        return None
    suffix = model.source.suffix.lower() if isinstance(model.source, Path) else ""
    try:
        device = open_device(choice)
        kept = suffix in (".tflite", ".onnx")
        return device.identity(suffix[1:] if kept else device.formats[0])
    except EdgeBudgetError:
        return None


RULE = Rule(
    code="EB107",
    name="lock-of-another-setup",
    severity=Severity.WARNING,
    needs=BudgetFile,
    check=check,
)
