"""The same model on a device and on this machine: the answers of both."""

from __future__ import annotations

from dataclasses import replace

from pytest_edgebudget.devices.base import CannotTell, Device
from pytest_edgebudget.devices.host import HostDevice
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import MissingExtra
from pytest_edgebudget.facts import Predictions, TwinAnswers
from pytest_edgebudget.measure.predictions import predictions
from pytest_edgebudget.measure.subject import Subject


def why_no_twin(device: Device) -> str:
    """Why there is nothing to compare with; empty where there is."""
    if device.choice.way == "host":
        return "the model runs on this machine: there is no other one to compare with"
    if not any(_here(name) for name in device.choice.runtimes):
        return f"nothing on this machine runs the models of {' and '.join(device.choice.runtimes)}"
    return device.refusal(Predictions)


def _here(runtime: str) -> str:
    """The runtime of this machine that stands beside one of a device; empty for none."""
    info = RUNTIMES[runtime]
    return info.tried_in if info.micro else runtime


def twin(subject: Subject) -> HostDevice:
    """
    The machine that runs this, with the runtime that the device has for the model.

    Raises CannotTell where it has none.
    """
    choice, fmt = subject.device.choice, subject.artifact.format
    runtime = _here(subject.device.runtime_for(fmt))
    if not runtime:
        raise CannotTell(f"nothing on this machine runs .{fmt} models")
    bare = {"python": None, "delegate": None, "provider": None, "options": ()}
    return HostDevice(replace(choice, run="host", runtime=runtime, **bare))  # type: ignore[arg-type]


def twin_words(subject: Subject) -> str:
    """Runtime, version and CPU of this machine, as readings are compared by them; "" for none."""
    try:
        it = twin(subject).identity(subject.artifact.format)
    except (CannotTell, MissingExtra):
        return ""
    return f"{it.runtime} {it.version} on {it.cpu}"


def twin_answers(subject: Subject, there: Predictions) -> TwinAnswers:
    """
    What this machine answers to the samples of *there*.

    Raises CannotTell where it has no such runtime.
    """
    device = twin(subject)
    try:
        here = predictions(replace(subject, device=device), compared=False)
    except MissingExtra as error:
        raise CannotTell(
            f"{error.library} is not installed on this machine, to compare with", error.hint
        ) from error
    return TwinAnswers(there=there.outputs, here=here.outputs, twin=twin_words(subject))
