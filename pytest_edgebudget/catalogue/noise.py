"""``edgebudget doctor BUDGET --noise``: what regressions of a time this machine can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from pytest_edgebudget.against.judging import TIMED, here
from pytest_edgebudget.against.noise import WORKERS, listen
from pytest_edgebudget.against.racing import Race
from pytest_edgebudget.build import source_artifact
from pytest_edgebudget.catalogue.doctor import read_budgets
from pytest_edgebudget.data import load_data
from pytest_edgebudget.devices import Device, open_device
from pytest_edgebudget.devices.base import Samples
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.lock import read_lock
from pytest_edgebudget.measure.noise_floor import Floor, write_floor
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.settings import read_settings
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, Budget, ModelBudget, Unit
from pytest_edgebudget.units import format_value
from pytest_edgebudget.wiring import command_line_manager, registry_of

TIMES = (TIMED, "latency_p95", "latency_p99")


def noise(paths: Sequence[Path], *, root: Path, say: Callable[[str], None]) -> tuple[str, bool]:
    """
    Compare each model that has a limit of time with itself, and keep what came out.

    Returns the report, and whether all of them could be timed. Raises
    EdgeBudgetError for a wrong budget file, or where none is named.
    """
    if not paths:
        raise EdgeBudgetError(
            "--noise: of which models?", "name their budget: edgebudget doctor BUDGET --noise"
        )
    registry, settings = registry_of(command_line_manager()), read_settings(root)
    store = Store(settings.cache, settings.cache_limit)
    lines, well = [], True
    for budget in read_budgets(paths, registry, root):
        lines.append(f"{budget.path.name}: noise of this machine, {WORKERS} fresh workers a model")
        timed = [m for m in budget.models if any(limit.metric in TIMES for limit in m.limits)]
        for model in timed:
            try:
                floor = _measured(budget, model, registry, store, root, say)
                write_floor(store, budget, model.name, floor)
                lines += _told(model, floor)
            except EdgeBudgetError as error:
                well = False
                lines.append(f"  {model.name}: not timed: {error.message.splitlines()[0]}")
        if not timed:
            lines.append("  no model has a limit of latency: nothing depends on it")
    say("")
    return "\n".join([*lines, ""]), well


def _told(model: ModelBudget, floor: Floor) -> Iterator[str]:
    share = f"{_percent(floor.value)} ({_percent(floor.low)} - {_percent(floor.high)})"
    time = format_value(floor.seconds, Unit.SECONDS)
    yield f"  {model.name}: {time} with {floor.runtime}: compared in turns, from {share}"
    apart = f"two runs apart differ by {_percent(floor.apart)}"
    yield f"    a smaller max_regression is undecided; {apart}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _measured(
    budget: Budget,
    model: ModelBudget,
    registry: Registry,
    store: Store,
    root: Path,
    say: Callable[[str], None],
) -> Floor:
    device = open_device(budget.device, registry.ways)
    artifact = _artifact(budget, model, device, store, root)
    host = here(device, artifact.format)
    race = Race(
        device=host, base=artifact.runs_as, new=artifact.runs_as,
        samples=_sample(model, store, root),
    )  # fmt: skip
    with host.quiet():
        found = listen(race, WORKERS, lambda done: say(f"{model.name}: worker {done} of {WORKERS}"))
    identity = host.identity(artifact.format)
    return Floor(
        value=found.value, low=found.low, high=found.high, apart=found.apart,
        seconds=found.seconds, workers=WORKERS, sha256=artifact.sha256,
        runtime=f"{identity.runtime} {identity.version}".strip(), day=date.today().isoformat(),
    )  # fmt: skip


def _artifact(
    budget: Budget, model: ModelBudget, device: Device, store: Store, root: Path
) -> Artifact:
    """The lock's artifact where the cache has it, else the source: nothing is searched for."""
    source = source_artifact(model, formats=device.formats, root=root, store=store)
    entry = read_lock(budget.path).entries.get(model.name)
    path = store.file(entry.artifact, source.path.suffix) if entry else None
    if entry is None or path is None:
        return source
    return Artifact(
        recipe=source.recipe, path=path, sha256=entry.artifact, size=path.stat().st_size
    )


def _sample(model: ModelBudget, store: Store, root: Path) -> Samples | None:
    if model.data is None:
        return None
    data = load_data(model.data, root=root, store=store)
    return Samples(path=data.path, split="test", first=1) if data.has("x_test") else None
