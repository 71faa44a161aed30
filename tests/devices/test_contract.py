"""Each kind of device keeps the contract that extensions are tested with."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.devices import Device, open_device, profile_named
from pytest_edgebudget.testing import DeviceContract
from pytest_edgebudget.types import DeviceChoice

EXAMPLES = Path(__file__).parents[2] / "examples"


class Digits(DeviceContract):
    model = EXAMPLES / "digits" / "digits.tflite"
    data = EXAMPLES / "digits" / "data.npz"


class TestHost(Digits):
    @pytest.fixture
    def device(self) -> Device:
        return open_device(DeviceChoice(profile=profile_named("host"), run="host"))


class TestHostOnnx(DeviceContract):
    model = EXAMPLES / "digits" / "digits.onnx"
    data = EXAMPLES / "digits" / "data.npz"

    @pytest.fixture
    def device(self) -> Device:
        return open_device(DeviceChoice(profile=profile_named("host"), run="host"))


class TestStatic(Digits):
    @pytest.fixture
    def device(self) -> Device:
        return open_device(DeviceChoice(profile=profile_named("stm32l4r5-tflm"), run="static"))
