"""
The simulation against a second implementation of ``ap_fixed``, to the bit.

The package ``quantizers`` (of the authors of HGQ2, tested by them against ap_fixed)
quantizes; sums of its fixed-point numbers are exact in float64. Modes: AMD UG1399,
"Arbitrary precision fixed-point data types".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.devices.base import Device, Samples
from pytest_edgebudget.jobs import run

from .conftest import Fix

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "options"),
    [
        pytest.param(("TRN", "WRAP"), {}, id="truncating and beginning anew"),
        pytest.param(
            ("RND", "SAT"), {"round": True, "saturate": True}, id="rounding and saturating"
        ),
    ],
)
def test_the_simulation_computes_each_bit_as_ap_fixed_is_defined(
    folder: Path, fix: Fix, device: Device, tmp_path: Path, mode, options
) -> None:
    quantizers = pytest.importorskip("quantizers", reason="hls4ml 1.3 brings it along")
    quantizer = quantizers.get_fixed_quantizer_np(*mode)
    total, integer = 9, 4

    def fixed(values: np.ndarray) -> np.ndarray:
        return quantizer(values, 1, integer - 1, total - integer)  # the sign's bit is apart

    x = np.random.default_rng(5).normal(0, 2.5, (400, 12))
    value = fixed(x)
    with np.load(folder / "chain.npz") as file:
        weights = [fixed(file[f"arr_{index}"]) for index in range(6)]
    for layer in range(3):
        found = value @ weights[2 * layer] + weights[2 * layer + 1]
        assert np.abs(found).max() > 2 ** (integer - 1)  # or no mode of overflow would show
        value = fixed(found)
        if layer < 2:
            value = np.maximum(value, 0)

    model = fix(folder / "chain.keras", total, integer, **options)
    assert np.array_equal(answers(device, model, x, tmp_path), value)


@pytest.mark.slow
def test_a_convolutional_network_answers_as_hls4mls_own_library_does(
    folder: Path, fix: Fix, device: Device, tmp_path: Path
) -> None:
    """hls4ml's ``compile()`` and ``predict()``, from the note inside the file alone."""
    x = np.random.default_rng(6).random((50, 6, 6, 1))
    model = fix(folder / "picture.keras", 12, 5)
    mine = answers(device, model, x, tmp_path)
    data, out = tmp_path / "data.npz", tmp_path / "project"
    payload = {"model": str(model), "data": str(data), "out": str(out)}
    job = "tests.devices.fpga.jobs:by_hls4ml"
    theirs = run(job, payload, root=ROOT, timeout=300, purpose="asking hls4ml")
    assert np.array_equal(mine, np.array(theirs))
    assert len(np.unique(mine)) > 10


def answers(device: Device, model: Path, x: np.ndarray, folder: Path) -> np.ndarray:
    data, out = folder / "data.npz", folder / "answers.npz"
    np.savez(data, x_test=x)
    with device.worker("keras") as worker:
        worker.load(model)
        worker.run(Samples(path=data, split="test"), "reset", out)
    with np.load(out) as arrays:
        return arrays["0"]
