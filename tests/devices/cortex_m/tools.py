"""What tests on emulated cores need, and how they are left out where it is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.devices.cortex_m.tools import lacks
from tests.devices.cortex_m.one_op import network
from tests.devices.cortex_m.runtimes import micro

MISSING = "; ".join(f"{lack.what}: {lack.command}" for lack in lacks())
needs_tools = pytest.mark.skipif(bool(MISSING), reason=MISSING or "all is there")

PROFILE = """
title = "a chip"
runtimes = ["tflm"]
cpu = "{cpu}"
default_run = "cortex-m"
[[memory]]
name = "flash"
kind = "flash"
size = "{flash}"
[[memory]]
name = "RAM"
kind = "ram"
size = "{ram}"
"""


def write_network(folder: Path, samples: int = 12) -> tuple[Path, Path]:
    """A small integer model, and data for it whose labels are the model's own answers."""
    model = folder / "network.tflite"
    model.write_bytes(network())
    draw = np.random.default_rng(1)
    images = draw.integers(-128, 128, (samples, 8, 8, 1), dtype=np.int8)
    answers = micro(model.read_bytes(), [[image[None]] for image in images])
    labels = np.array([int(np.frombuffer(answer, np.int8).argmax()) for answer in answers])
    data = folder / "data.npz"
    np.savez(data, x_test=images, y_test=labels)
    return model, data


def write_profile(
    folder: Path, cpu: str = "Cortex-M4", flash: str = "1 MiB", ram: str = "256 KiB"
) -> Path:
    path = folder / "chip.toml"
    path.write_text(PROFILE.format(cpu=cpu, flash=flash, ram=ram))
    return path
