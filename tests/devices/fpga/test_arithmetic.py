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


@pytest.mark.parametrize(
    ("total", "integer", "options"),
    [
        pytest.param(9, 4, {}, id="truncating and beginning anew"),
        pytest.param(9, 4, {"round": True, "saturate": True}, id="rounding and saturating"),
    ],
)
def test_the_simulation_computes_each_bit_as_ap_fixed_is_defined(
    folder: Path, fix: Fix, device: Device, tmp_path: Path, total, integer, options
) -> None:
    quantizers = pytest.importorskip("quantizers", reason="hls4ml 1.3 brings it along")
    mode = ("RND", "SAT") if options else ("TRN", "WRAP")
    quantizer = quantizers.get_fixed_quantizer_np(*mode)

    def fixed(values: np.ndarray) -> np.ndarray:
        return quantizer(values, 1, integer - 1, total - integer)  # the sign's bit is apart

    x = np.random.default_rng(5).normal(0, 2.5, (400, 12))
    model = folder / "chain.keras"
    kernels = weights(model)
    value = fixed(x)
    for layer in range(3):
        kernel, bias = fixed(kernels[2 * layer]), fixed(kernels[2 * layer + 1])
        total_sum = value @ kernel + bias
        value = fixed(total_sum)
        overflowed = np.abs(total_sum) > 2 ** (integer - 1)
        assert overflowed.any()  # or the modes would not be told apart
        if layer < 2:
            value = np.maximum(value, 0)

    data = tmp_path / "data.npz"
    np.savez(data, x_test=x)
    assert np.array_equal(answers(device, fix(model, total, integer, **options), data), value)


def test_a_convolutional_network_answers_as_hls4mls_own_library_does(
    fix: Fix, device: Device, tmp_path: Path
) -> None:
    """hls4ml's ``compile()`` and ``predict()`` are the second way to the same numbers."""
    from .conftest import EXAMPLES

    with np.load(EXAMPLES / "digits" / "data.npz") as file:
        x = file["x_test"][:60]
    data = tmp_path / "data.npz"
    np.savez(data, x_test=x)
    model = fix(EXAMPLES / "digits" / "digits.keras", 16, 6)
    payload = {"model": str(model), "data": str(data), "out": str(tmp_path / "project")}
    job = "tests.devices.fpga.jobs:by_hls4ml"
    theirs = run(job, payload, root=ROOT, timeout=300, purpose="asking hls4ml")
    assert np.array_equal(answers(device, model, data), np.array(theirs))


def weights(model: Path) -> list[np.ndarray]:
    job = "tests.devices.fpga.jobs:weights"
    found = run(job, {"model": str(model)}, root=ROOT, timeout=300, purpose="reading weights")
    return [np.array(each) for each in found]


def answers(device: Device, model: Path, data: Path) -> np.ndarray:
    out = data.with_name("answers.npz")
    with device.worker("keras") as worker:
        worker.load(model)
        worker.run(Samples(path=data, split="test"), "reset", out)
    with np.load(out) as arrays:
        return arrays["0"]
