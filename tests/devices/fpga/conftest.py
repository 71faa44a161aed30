"""Models, what their passes made of them, and a cache of compiled models for all tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.base import Device
from pytest_edgebudget.devices.fpga.way import WAY
from pytest_edgebudget.jobs import run
from pytest_edgebudget.types import DeviceChoice

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"

Fix = Callable[..., Path]


def lacking() -> str:
    """What these tests need and this machine does not have."""
    for module in ("hls4ml", "keras"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed: pip install 'pytest-edgebudget[fpga]'"
    return "" if shutil.which("g++") else "there is no g++: apt-get install g++"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models of `make_models`."""
    if reason := lacking():
        pytest.skip(reason)
    made = tmp_path_factory.mktemp("fpga")
    script = Path(__file__).parent / "make_models.py"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    subprocess.run(
        [sys.executable, str(script), str(made)], check=True, timeout=300, env=environment
    )
    return made


@pytest.fixture(scope="session")
def fix(folder: Path) -> Fix:
    """A model of `folder` after ``fixed_point(...)``."""

    def made(model: Path, total: int, integer: int, **options: bool) -> Path:
        words = [f"{total}_{integer}", *(f"{key}_{value}" for key, value in options.items())]
        out = folder / f"{model.stem}_{'_'.join(words)}.keras"
        if not out.exists():
            payload = {
                "model": str(model),
                "out": str(out),
                "args": [total, integer],
                "options": [[key, value] for key, value in options.items()],
            }
            job = "tests.devices.fpga.jobs:fixed_point"
            run(job, payload, root=ROOT, timeout=300, purpose=f"fixing {model.name}")
        return out

    return made


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's cache folder: not the real one."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("cache")
        # YoWASP keeps its compiled tools where it always does: that takes a minute.
        usual = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        patch.setenv("YOWASP_CACHE_DIR", os.environ.get("YOWASP_CACHE_DIR", f"{usual}/YoWASP"))
        patch.setenv("XDG_CACHE_HOME", str(place))
        yield place


@pytest.fixture
def device(cache: Path) -> Device:
    return WAY.open(DeviceChoice(profile=profile_named("pynq-z2"), run="hls4ml"))
