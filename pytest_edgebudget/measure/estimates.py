"""Time and energy where the device does not tell them: estimates from what was published."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

from pytest_edgebudget.devices.base import CannotTell, Device
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import EdgeBudgetError, ModelError
from pytest_edgebudget.estimate import POWER_DOMAIN, Estimate, OpTime, Range
from pytest_edgebudget.estimate.asked import NoEstimate, basis
from pytest_edgebudget.estimate.asked import estimated as estimate_of
from pytest_edgebudget.estimate.table import PATH
from pytest_edgebudget.facts import EnergyFacts, EstimatedCost, Timings
from pytest_edgebudget.graph import Graph, read
from pytest_edgebudget.measure.subject import Subject
from pytest_edgebudget.types import DeviceChoice, Key, Layer, ModelBudget, Profile, Unit
from pytest_edgebudget.units import format_value

ESTIMATED: Mapping[type, str] = {Timings: "latency", EnergyFacts: "energy"}
"""Facts that are estimated where a device does not tell them, and what of them is."""

BY = "estimated by"
"""The pair of a comparison key that all estimates have."""


def estimated(subject: Subject, graph: Graph, kind: type, refused: str) -> EstimatedCost:
    """
    Seconds (or joules) of an inference of *graph*; *refused*: why they are not measured.

    Raises CannotTell with that and with why there is no estimate, where there is none.
    """
    device = subject.device
    try:
        runtime = device.runtime_for(subject.artifact.format)
        found = estimate_on(device, graph, runtime)
        ranged = found.latency if kind is Timings else _energy(found, device.choice)
    except (NoEstimate, ModelError) as error:
        raise CannotTell(f"{refused}; {error.message}", _brings(device)) from error
    return EstimatedCost(
        value=ranged.value,
        low=ranged.low,
        high=ranged.high,
        note=_note(found, kind, device.choice.profile),
        key=_key(device.choice, runtime),
        refused=refused,
        layers=_layers(found.ops) if kind is Timings else (),
        seconds=found.latency.value,
        above_idle=found.above_idle,
    )


def estimate_on(device: Device, graph: Graph, runtime: str) -> Estimate:
    """
    What *graph* takes with *runtime* on the device, by what was published.

    Raises NoEstimate where nothing tells.
    """
    choice = device.choice
    if choice.beside:
        raise NoEstimate(f"no times of {choice.profile.name} with {choice.beside} were published")
    return estimate_of(graph, choice.profile, runtime=runtime, threads=choice.threads)


def source_estimates(device: Device, model: ModelBudget, kind: type) -> Range:
    """
    Seconds or joules of a model's source file as it is.

    Raises:
        NoEstimate: nothing that was published tells.
        ModelError: the source is no model's file, or cannot be read.
    """
    if not isinstance(model.source, Path) or model.source.suffix not in (".tflite", ".onnx"):
        raise ModelError(f"{model.name} is no file whose operators can be read")
    graph = read(model.source)
    found = estimate_on(device, graph, device.runtime_for(graph.format))
    return found.latency if kind is Timings else _energy(found, device.choice)


def why_none(device: Device, model: ModelBudget, kind: type) -> str:
    """Why the source of *model* has no estimate there; empty where it has or cannot be read."""
    try:
        source_estimates(device, model, kind)
    except NoEstimate as error:
        return error.message
    except EdgeBudgetError:
        return ""  # whoever builds it says what is wrong
    return ""


def _energy(found: Estimate, choice: DeviceChoice) -> Range:
    if found.energy is None:
        raise NoEstimate(f"the power of {choice.profile.name} was not published")
    return found.energy


def _brings(device: Device) -> str:
    """What would bring a number; a controller without an operating system has no such way."""
    if all(RUNTIMES[name].micro for name in device.choice.runtimes):
        return ""
    return 'run = "ssh://user@board" measures it, and edgebudget calibrate makes a profile there'


def _note(found: Estimate, kind: type, profile: Profile) -> str:
    if kind is Timings or found.energy is None:
        return f"estimated: {basis(found)}"
    watts = format_value(found.energy.value / found.latency.value, Unit.NUMBER, 3)
    time = format_value(found.latency.value, Unit.SECONDS)
    own = (each.power_domain for each in profile.calibrations if each.power_domain)
    return f"estimated: {watts} W ({next(own, POWER_DOMAIN)}) x {time}: {basis(found)}"


def _layers(ops: tuple[OpTime, ...]) -> tuple[Layer, ...]:
    layers = [Layer(op.name, op.kind, op.seconds) for op in ops if op.seconds > 0]
    return tuple(sorted(layers, key=lambda layer: -layer.value))


def _key(choice: DeviceChoice, runtime: str) -> Key:
    pairs = {
        BY: _own(choice) or estimator(),
        "device": choice.profile.name,
        "runtime": runtime,
        "threads": str(choice.threads),
    }
    return tuple(sorted(pairs.items()))


def _own(choice: DeviceChoice) -> str:
    """The profile's own calibration; empty where it has none."""
    found = choice.profile.calibrations
    return f"calibration {hashlib.sha256(repr(found).encode()).hexdigest()[:12]}" if found else ""


@functools.cache
def estimator() -> str:
    """What a comparison key calls the shipped table: another one is another estimator."""
    return f"table {hashlib.sha256(PATH.read_bytes()).hexdigest()[:12]}"
