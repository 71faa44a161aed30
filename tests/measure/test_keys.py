"""What a kept reading depends on: our own code that read it, and what the device's profile says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import pytest_edgebudget.worker
from pytest_edgebudget.devices import open_device, profile_named
from pytest_edgebudget.devices.ways import WAYS
from pytest_edgebudget.measure.keys import PACKAGE, cache_key, reading_files
from pytest_edgebudget.measure.subject import Subject
from pytest_edgebudget.metrics import npu_cycles, ram
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.types import Artifact, DeviceChoice, Profile
from tests.measure.help import artifact, wanted

MODEL = Path(pytest_edgebudget.worker.__file__).parent / "warm.tflite"


@pytest.mark.parametrize("module", sorted(WAYS.values()))
def test_readings_of_each_way_to_run_depend_on_its_code(module: str) -> None:
    file = PACKAGE.parent / (module.replace(".", "/") + ".py")
    assert file in reading_files()


def test_readings_depend_on_sources_alone_which_a_run_does_not_write() -> None:
    found = reading_files()
    assert {"counter.c", "edge-tpu.toml", "arena.py"} <= {file.name for file in found}
    assert not [file for file in found if "__pycache__" in file.parts]


@pytest.mark.parametrize(
    ("name", "run", "metric", "distribution", "changed"),
    [
        ("ethos-u55-128", "vela", npu_cycles.METRIC, "ethosu", {"accelerator": "ethos-u55-256"}),
        ("nrf52840-tflm", "tflm", ram.METRIC, "tflite_micro", {"kernels": "reference"}),
    ],
)
def test_a_profile_that_changes_under_its_name_is_another_device(
    name: str, run: str, metric: Metric, distribution: str, changed: dict[str, str]
) -> None:
    pytest.importorskip(distribution, reason="its version is part of the key")
    profile, model = profile_named(name), artifact(MODEL)
    key = _key(profile, run, metric, model)
    assert key is not None
    assert _key(replace(profile, **changed), run, metric, model) != key  # type: ignore[arg-type]
    assert _key(replace(profile, title="in other words"), run, metric, model) == key


def _key(profile: Profile, run: str, metric: Metric, model: Artifact) -> dict[str, str] | None:
    device = open_device(DeviceChoice(profile=profile, run=run))
    subject = Subject(
        artifact=model,
        device=device,
        data=None,
        split="test",
        first=None,
        source=None,
        state="reset",
    )
    (each,) = wanted(metric)
    return cache_key(each, subject)
