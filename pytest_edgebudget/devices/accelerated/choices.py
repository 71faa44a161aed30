"""What a budget file's delegate or provider means for a device, wherever it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pytest_edgebudget import graph
from pytest_edgebudget.devices.accelerated.placing import Account, placement_facts
from pytest_edgebudget.devices.base import Device
from pytest_edgebudget.devices.runtimes import RUNTIMES, formats_of, runtime_of
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import InstructionFacts, MemoryFacts, PlacementFacts
from pytest_edgebudget.types import Artifact, DeviceChoice, Key
from pytest_edgebudget.worker.acceleration import GPU, PROVIDERS, Acceleration

if TYPE_CHECKING:
    from pytest_edgebudget.devices.client import WorkerClient

ONNX = "onnxruntime"
_HOW = {
    "counts": "what its GPU accelerator said",
    "graph": "its graph after the delegate",
    "nodes": "a profile of a run",
}


def accelerated(choice: DeviceChoice) -> bool:
    """Whether anything beside the CPU was named."""
    return bool(choice.delegate or choice.provider)


def given(choice: DeviceChoice, runtime: str) -> str | None:
    """What a runtime was given: a provider is ONNX Runtime's, a delegate the others'."""
    return choice.provider if runtime == ONNX else choice.delegate


def formats(choice: DeviceChoice) -> tuple[str, ...]:
    """Those of the runtimes that were given something; of all where none was."""
    if not accelerated(choice):
        return formats_of(choice.runtimes)
    return formats_of(name for name in choice.runtimes if given(choice, name))


def runtime_for(choice: DeviceChoice, fmt: str) -> str:
    """
    The first runtime that runs the format.

    Raises ModelError where none does, and where it would run on the CPU
    although something beside it was named.
    """
    runtime = runtime_of(fmt, choice.runtimes, choice.profile.name)
    if given(choice, runtime) or not accelerated(choice):
        return runtime
    key = "provider" if runtime == ONNX else "delegate"
    raise ModelError(
        f".{fmt} models would run on the CPU: [device] names no {key}",
        f"write {key} = ..., or give them a budget file of their own",
    )


def asked(choice: DeviceChoice, fmt: str) -> Acceleration:
    """What a worker is asked for."""
    onnx = runtime_for(choice, fmt) == ONNX
    return Acceleration(
        delegate="" if onnx else choice.delegate or "",
        provider=choice.provider or "" if onnx else "",
        options=dict(choice.options),
    )


def distribution(choice: DeviceChoice, fmt: str) -> str:
    """What pip calls the build of the runtime that has it."""
    provider = PROVIDERS.get(asked(choice, fmt).provider)
    return provider.distribution if provider else RUNTIMES[runtime_for(choice, fmt)].distribution


def builds(choice: DeviceChoice) -> list[str]:
    """The distributions of all its formats."""
    return [distribution(choice, fmt) for fmt in formats(choice)]


def conditions(choice: DeviceChoice, fmt: str) -> Key:
    """What a reading's key must hold for it."""
    wish = asked(choice, fmt)
    here = "://" not in choice.run
    delegate = _digested(wish.delegate) if here else wish.delegate
    pairs = {"delegate": delegate, "provider": wish.provider}
    pairs |= {f"options.{name}": value for name, value in wish.options.items()}
    return tuple((name, value) for name, value in pairs.items() if value)


def _digested(name: str) -> str:
    """A delegate in a key: a library by what is in it, where it is a file."""
    path = Path(name)
    if not name or name == GPU or not path.is_file():
        return name
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


def refusal(choice: DeviceChoice, facts: type) -> str:
    """What the books of the CPU's process do not hold; empty for anything else."""
    if not accelerated(choice):
        return ""
    if facts is InstructionFacts:
        return "instructions are counted of the CPU, and that is not where the model runs"
    provider = PROVIDERS.get(choice.provider or "")
    if facts is MemoryFacts and not (provider and provider.processor):
        name = choice.delegate or choice.provider
        return f"the memory that {name} takes is in no process's books"
    return ""


def placement(device: Device) -> Callable[[Artifact, object], PlacementFacts]:
    """
    The way to find out where a model runs on *device*.

    As its runtime tells after it was loaded, or has run. Raises CannotTell,
    DeviceError or ModelError.
    """

    def look(artifact: Artifact, fill: object) -> PlacementFacts:
        del fill
        identity = device.identity(artifact.format)
        with device.worker(artifact.format) as worker:
            worker.load(artifact.path)
            told = cast("WorkerClient", worker).placement()
        tool = f"{identity.runtime} {identity.version}, {_HOW[told['how']]}"
        account = Account(told=told, evidence=device.evidence(PlacementFacts), tool=tool)
        return placement_facts(account, graph.read(artifact.path))

    return look
