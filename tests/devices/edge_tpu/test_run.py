"""The Edge TPU as a device: the contract, a budget of it, and the catalogue's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.devices import Device, open_device, profile_named
from pytest_edgebudget.devices.ways import way_named
from pytest_edgebudget.testing import DeviceContract
from pytest_edgebudget.types import DeviceChoice
from tests.devices.edge_tpu.models import Chain

DIGITS = Path(__file__).parents[3] / "examples" / "digits"


class TestContract(DeviceContract):
    model = DIGITS / "digits.tflite"
    data = DIGITS / "data.npz"

    @pytest.fixture
    def device(self) -> Device:
        profile = profile_named("coral-usb-accelerator")
        return open_device(DeviceChoice(profile=profile, run="edge-tpu", runtime="litert"))


def test_only_profiles_with_an_edge_tpu_run_so() -> None:
    way = way_named("edge-tpu")
    for name in ("coral-usb-accelerator", "coral-pcie", "coral-dev-board"):
        assert way.refusal(profile_named(name)) == ""
        assert profile_named(name).default_run == "edge-tpu"
    assert way.refusal(profile_named("raspberry-pi-4")) == "raspberry-pi-4 has no Edge TPU"


def test_a_broken_budget_names_what_fell_off_and_why(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no compiler, whatever is installed here
    Chain().conv("a").op("ELU", "act").conv("b").write(pytester.path / "m.tflite")
    (pytester.path / "coral.toml").write_text(
        '[device]\nprofile = "coral-dev-board"\nruntime = "litert"\n'
        '[models.m]\npath = "m.tflite"\n'
        'budget = { cpu_fallback = "10 %", off_chip = "64 KiB" }\n[lint]\nlevel = "off"\n'
    )
    result = pytester.runpytest("-p", "no:randomly", "--edge-budget", "coral.toml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "m: cpu_fallback is broken: 50.00 % is 40.00 pp over the limit of 10.00 %",
            "  2 of 3 operators fell off, 1 piece on the Edge TPU; first ELU 'act': the Edge TPU "
            "has no ELU; by published constraints of the Edge TPU; 160 B of weights on it, about "
            "7.63 MiB of its own memory; edgetpu_compiler, where it is installed, tells exactly",
            "  b    CONV_2D: behind ELU, which is not taken, all operators run on the CPU  50.00 %*",
            "  act  ELU: the Edge TPU has no ELU * 0.00 % *",
        ]
    )
    assert "a smaller" not in result.stdout.str()
