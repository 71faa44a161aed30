"""A device and this machine answer the same samples: what agrees, and what cannot be compared."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import pytest_edgebudget.worker
from pytest_edgebudget.devices import load_profile, open_device, profiles
from pytest_edgebudget.devices.base import Samples
from pytest_edgebudget.facts import TwinAnswers
from pytest_edgebudget.measure.gather import can_gather
from pytest_edgebudget.metrics import bit_identity
from pytest_edgebudget.store import Store
from pytest_edgebudget.testing import MockDevice
from pytest_edgebudget.types import DeviceChoice, Evidence
from tests.measure.help import artifact, data_file, read, wanted

MODEL = Path(pytest_edgebudget.worker.__file__).parent / "warm.onnx"


class Elsewhere(MockDevice):
    """A board that answers what it was given."""

    @property
    def choice(self) -> DeviceChoice:
        return replace(super().choice, run="emulate")

    def runtime_for(self, fmt: str) -> str:
        return "onnxruntime"


def refusal(profile: str, run: str) -> str:
    choice = DeviceChoice(profile=load_profile(profiles()[profile]), run=run)
    return can_gather(open_device(choice), TwinAnswers)


def test_a_model_that_runs_here_has_nothing_to_be_compared_with() -> None:
    assert refusal("raspberry-pi-4", "host") == (
        "the model runs on this machine: there is no other one to compare with"
    )
    assert refusal("raspberry-pi-4", "static") == 'run = "static": no model runs on raspberry-pi-4'
    assert refusal("raspberry-pi-4", "emulate") == ""


def test_answers_of_a_device_are_compared_with_those_of_this_machine(
    tmp_path: Path, store: Store
) -> None:
    pytest.importorskip("onnxruntime", reason="the runtime of this test")
    x = np.random.default_rng(5).standard_normal((4, 8, 8)).astype(np.float32)
    data = data_file(tmp_path / "data.npz", store, x_test=x)
    host = open_device(DeviceChoice(profile=load_profile(profiles()["host"]), run="host"))
    with host.worker("onnx") as worker:
        worker.load(MODEL)
        worker.run(Samples(path=data.path, split="test"), "reset", tmp_path / "out.npz")
    answers = np.load(tmp_path / "out.npz")["0"]
    answers.view(np.uint32).flat[0] ^= 1  # the last bit of one value
    device = Elsewhere(outputs={"y": answers})

    found = read(artifact(MODEL), wanted(bit_identity.METRIC), device, store, data=data)

    reading = found.readings["bit_identity"]
    assert reading.value == 1 - 1 / answers.size
    assert reading.evidence is Evidence.MEASURED
    key = dict(reading.key)
    assert key["against"].startswith(f"onnxruntime {version('onnxruntime')} on ")
    assert key["data"] == data.sha256[:12]
    assert key["split"] == "test"


def test_a_runtime_that_this_machine_lacks_is_a_reason_and_no_error(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_edgebudget.devices.host.installed", lambda name, python: "")
    monkeypatch.setattr(
        "pytest_edgebudget.measure.twins.predictions",
        lambda subject, compared: subject.device.identity("onnx"),
    )
    data = data_file(tmp_path / "data.npz", store, x_test=np.zeros((2, 8, 8), np.float32))
    device = Elsewhere(outputs={"y": np.zeros((2, 3), np.float32)})

    found = read(artifact(MODEL), wanted(bit_identity.METRIC), device, store, data=data)

    assert found.missing["bit_identity"].reason == (
        "onnxruntime is not installed on this machine, to compare with;"
        " pip install 'pytest-edgebudget[onnx]'"
    )
