"""An integer model of the examples, a compiler that is kept open, and Vela's own command line."""

from __future__ import annotations

import csv
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.ethos_u.compiler import Compiler
from pytest_edgebudget.devices.ethos_u.settings import Settings, settings_of

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(autouse=True)
def vela() -> None:
    pytest.importorskip("ethosu.vela", reason="pip install 'pytest-edgebudget[ethos-u]'")


@pytest.fixture(scope="session")
def digits_int8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits as the pass int8 makes them."""
    pytest.importorskip("litert_quantizer", reason="pip install 'pytest-edgebudget[litert]'")
    from pytest_edgebudget.passes import int8
    from pytest_edgebudget.passes.base import Job
    from pytest_edgebudget.types import Step

    folder = tmp_path_factory.mktemp("int8")
    with np.load(EXAMPLES / "digits" / "data.npz") as data:
        np.savez(folder / "calibration.npz", x=data["x_calibration"][:200])
    model, out = EXAMPLES / "digits" / "digits.tflite", folder / "digits.tflite"
    job = Job(model=model, out=out, step=Step("int8"), calibration=folder / "calibration.npz")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of LiteRT, that keeping all tensors takes memory
        int8.apply(job)
    return out


@pytest.fixture(scope="session")
def compiler() -> Iterator[Compiler]:
    found = Compiler()
    yield found
    found.close()


def settings(profile: str) -> Settings:
    return settings_of(profile_named(profile))


@dataclass(frozen=True)
class Told:
    """What Vela's command line tells of a model: *said*, its *summary*, the file it wrote."""

    said: str
    summary: Mapping[str, str]
    file: bytes


@pytest.fixture
def by_command(tmp_path: Path) -> Callable[[Path, Settings], Told]:
    """Vela as its users start it, in a process of its own."""

    def run(model: Path, chosen: Settings) -> Told:
        folder = tmp_path / "vela"
        command = [sys.executable, "-m", "ethosu.vela", str(model), *chosen.arguments]
        ran = subprocess.run(
            [*command, "--output-dir", str(folder), "--show-cpu-operations"],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        with next(folder.glob(f"{model.stem}_summary_*.csv")).open(newline="") as file:
            summary = next(csv.DictReader(file))
        return Told(ran.stdout, summary, (folder / f"{model.stem}_vela.tflite").read_bytes())

    return run
