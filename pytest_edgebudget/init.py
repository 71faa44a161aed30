"""``edgebudget init``: a first budget file from what the models cost now."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget import devices
from pytest_edgebudget.build import source_artifact
from pytest_edgebudget.data import DataFile, load_data
from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.recipes import FIXED_POINT, recipes_of
from pytest_edgebudget.devices.ways import way_named
from pytest_edgebudget.errors import EdgeBudgetError, Place
from pytest_edgebudget.facts import InstructionFacts, PlacementFacts
from pytest_edgebudget.measure import Wanted, measure
from pytest_edgebudget.measure.telling import told_as
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.settings import read_settings
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import (
    Better,
    DeviceChoice,
    Evidence,
    FunctionRef,
    ModelBudget,
    Profile,
    Reading,
    Source,
    Unit,
)
from pytest_edgebudget.units import format_value
from pytest_edgebudget.wiring import command_line_manager, registry_of

ROOM = {
    "size": 0.10,
    "download_size": 0.10,
    "macs": 0.10,
    "ram": 0.25,
    "flash": 0.10,
    "instructions": 0.05,
    "cpu_fallback": 0.10,
    "off_chip": 0.10,
    "npu_sram": 0.10,
    "npu_flash": 0.10,
    "npu_cycles": 0.10,
    "latency": 1.00,  # a first guess: the next machine, or the next minute, is another one
}
"""By how much a first limit lies above what is read now."""

FLOOR = 0.01
"""By how much a first accuracy floor lies below it."""

SUGGESTED = ("float16", "int8")
"""Recipes that a first budget file names, where the device runs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What reads a model."""

    device: Device
    registry: Registry
    store: Store
    root: Path


def write_first_budget(
    models: Sequence[str], *, data: Path | None, profile: str, output: Path, root: Path
) -> str:
    """
    Measure *models* and write limits a little above; returns what to do next.

    Raises `EdgeBudgetError` when *output* exists, the profile is not known, or
    a model cannot be read.
    """
    if output.exists():
        raise EdgeBudgetError(f"{output} exists", "choose another file with -o")
    _check_writable(output)
    registry = registry_of(command_line_manager())
    settings = read_settings(root)
    tools = Tools(
        device=devices.open_device(_choice(profile, registry)),
        registry=registry,
        store=Store(settings.cache, settings.cache_limit),
        root=root,
    )
    names = _names(models)
    with closing(tools.device):
        tables = [
            _table(name, model, data, output, tools)
            for name, model in zip(names, models, strict=True)
        ]
    head = _head(tools.device.choice, registry)
    output.write_text("\n".join([head, *tables]), "utf-8")
    return f"wrote {output}: look at the limits, then run pytest --edge-budget {output}"


def _head(choice: DeviceChoice, registry: Registry) -> str:
    """The ``[device]`` table, with the way that was used and the other ones."""
    way = way_named(choice.way, registry.ways)
    head = f'[device]\nprofile = "{choice.profile.name}"\nrun = "{choice.run}"   # {way.help}\n'
    return head + f"# edgebudget devices {choice.profile.name}: other ways, and what they tell\n"


def _optimize(choice: DeviceChoice) -> str:
    """The line ``optimize``; a comment unless nothing runs there without a recipe."""
    recipes = recipes_of(choice)
    if FIXED_POINT in recipes:
        return f'optimize = ["{FIXED_POINT}"]'
    names = ", ".join(f'"{name}"' for name in ("none", *SUGGESTED) if name in ("none", *recipes))
    return f'# optimize = "fit"   # finds a smaller one; or recipes in order: [{names}]'


def _check_writable(output: Path) -> None:
    """Before anything is measured, which takes long."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.touch()
        output.unlink()
    except OSError as error:
        raise EdgeBudgetError(f"{output} cannot be written: {error.strerror}") from error


def _source(written: str) -> Source:
    """A file, or ``package.module:function``."""
    module, colon, name = written.partition(":")
    if colon and not Path(written).exists():
        return FunctionRef(module, name)
    return Path(written).resolve()


def _choice(profile: str, registry: Registry) -> DeviceChoice:
    if profile not in registry.profiles:
        names = ", ".join(registry.profiles)
        raise EdgeBudgetError(f"there is no device profile {profile}", f"known: {names}")
    found: Profile = devices.load_profile(registry.profiles[profile])
    return DeviceChoice(profile=found, run=found.default_run)


def _names(models: Sequence[str]) -> list[str]:
    names: list[str] = []
    for model in models:
        stem = re.sub(r"[^A-Za-z0-9_.-]", "_", Path(model).stem).lstrip(".-") or "model"
        name, count = stem, 2
        while name in names:
            name, count = f"{stem}_{count}", count + 1
        names.append(name)
    return names


def _table(name: str, written: str, data: Path | None, output: Path, tools: Tools) -> str:
    source = _source(written)
    model = ModelBudget(name=name, source=source, data=data, place=Place(output, 1))
    path = _relative(source, output) if isinstance(source, Path) else str(source)
    file = load_data(data.resolve(), root=tools.root, store=tools.store) if data else None
    lines = [f"[models.{_key(name)}]", f"path = {json.dumps(path)}"]
    if data:
        lines.append(f"data = {json.dumps(_relative(data, output))}")
    lines.append(_optimize(tools.device.choice))
    lines += ["", f"[models.{_key(name)}.budget]"]
    lines += _limits(model, file, tools)
    return "\n".join(lines) + "\n"


def _limits(model: ModelBudget, data: DataFile | None, tools: Tools) -> Iterator[str]:
    artifact = source_artifact(
        model, formats=tools.device.formats, root=tools.root, store=tools.store
    )
    metrics = [tools.registry.metrics[name] for name in (*ROOM, *_quality(data))]
    metrics = [metric for metric in metrics if _worth(metric, tools.device)]
    with told_as(model.name, artifact, data):
        readings = measure(
            artifact,
            [Wanted(metric.name, metric, metric.defaults()) for metric in metrics],
            device=tools.device,
            data=data,
            split="test",
            source=artifact,
            state=model.state,
            store=tools.store,
            root=tools.root,
        ).readings
    for metric in metrics:
        reading = readings.get(metric.name)
        if reading is None or reading.evidence not in metric.accepts:
            continue
        if math.isfinite(reading.high):
            yield _limit(metric, reading)


def _worth(metric: Metric, device: Device) -> bool:
    """What costs no time is limited; instructions where they are all that tells of it."""
    if metric.needs is InstructionFacts:
        return device.evidence(InstructionFacts) is Evidence.EMULATED
    if metric.needs is PlacementFacts:
        choice = device.choice
        return bool(choice.profile.accelerator or choice.delegate or choice.provider)
    return True


def _quality(data: DataFile | None) -> tuple[str, ...]:
    """Whole numbers are classes, floats are values, no labels: compare with the source."""
    if data is None or not data.samples("test"):
        return ()
    labels = data.named("y_test")
    if not labels:
        return ("cosine",)
    integer = data.arrays[labels[0]].dtype.lstrip("<>|=").startswith(("i", "u", "b"))
    return ("accuracy",) if integer else ("mae",)


def _limit(metric: Metric, reading: Reading) -> str:
    if metric.better is Better.HIGHER:
        limit = f"{max(0.0, math.floor(100 * (reading.value - FLOOR)) / 100):.2f}"
    else:
        above = _above(reading.high * (1 + ROOM.get(metric.name, 0.10)))
        limit = _written(min(above, metric.extent[1]), metric.unit)
    now = format_value(reading.value, metric.unit)
    return f"{metric.name} = {limit}   # now {now}, {reading.evidence.value}"


def _above(value: float) -> float:
    """The next number with two significant figures (of 1024 for bytes it is near enough)."""
    if value <= 0:
        return 0.0
    step = 10 ** (math.floor(math.log10(value)) - 1)
    return float(math.ceil(value / step) * step)


def _written(value: float, unit: Unit) -> str:
    if unit in (Unit.COUNT, Unit.NUMBER):
        return f"{value:g}" if unit is Unit.NUMBER else f"{int(value):_}"
    return f'"{format_value(value, unit)}"'


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'


def _relative(path: Path, output: Path) -> str:
    return Path(os.path.relpath(path.resolve(), output.resolve().parent)).as_posix()
