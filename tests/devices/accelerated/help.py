"""Devices of these tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.devices import load_profile, open_device, profiles
from pytest_edgebudget.devices.base import Device
from pytest_edgebudget.facts import PlacementFacts
from pytest_edgebudget.types import Artifact, DeviceChoice
from pytest_edgebudget.types.recipes import AS_IT_IS

DIGITS = Path(__file__).parents[3] / "examples" / "digits"
RESHAPE = 22  # schema.fbs, BuiltinOperator
SOURCE = Path(__file__).parents[2] / "worker" / "delegate.c"


def device(profile: str = "host", run: str = "host", **choice: Any) -> Device:
    found = load_profile(profiles()[profile])
    return open_device(DeviceChoice(profile=found, run=run, **choice))


def artifact(path: Path) -> Artifact:
    return Artifact(recipe=AS_IT_IS, path=path, sha256="0" * 64, size=path.stat().st_size)


def placement(on: Device, model: Path) -> PlacementFacts:
    gather = on.source(PlacementFacts)
    assert gather is not None
    facts = gather(artifact(model), lambda worker: None)
    assert isinstance(facts, PlacementFacts)
    return facts


def compile_delegate(folder: Path) -> Path:
    """The delegate of tests/worker/delegate.c; skips where nothing compiles it."""
    if shutil.which("cc") is None:
        pytest.skip("the delegate is compiled here: apt install gcc")
    library = folder / "copier.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    return library
