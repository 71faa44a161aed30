"""The arithmetic of an Ethos-U: Arm's TOSA reference model against the micro runtime, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_edgebudget.devices import Device, open_device, profile_named
from pytest_edgebudget.devices.base import Samples
from pytest_edgebudget.devices.ethos_u import tosa
from pytest_edgebudget.devices.ethos_u.way import WAY
from pytest_edgebudget.errors import EdgeBudgetError, ModelError
from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.testing import DeviceContract
from pytest_edgebudget.types import DeviceChoice, Evidence
from pytest_edgebudget.worker.runtimes.tosa import _static
from tests.devices.ethos_u.conftest import EXAMPLES
from tests.devices.ethos_u.models import Chain

U55 = profile_named("ethos-u55-128")
INSTALL = "edgebudget devices install ethos-u55-128"


def opened(runtime: str) -> Device:
    return open_device(DeviceChoice(profile=U55, run="vela", runtime=runtime))


@pytest.fixture
def reference() -> None:
    pytest.importorskip("tflite_micro", reason="pip install 'pytest-edgebudget[mcu]'")
    if not tosa.is_installed(None):
        pytest.skip(f"the TOSA reference model is not installed: {INSTALL}")


def answers(device: Device, model: Path, samples: Samples, out: Path) -> list[Any]:
    with device.worker("tflite") as worker:
        worker.load(model)
        worker.run(samples, "reset", out)
    with np.load(out, allow_pickle=False) as arrays:
        return [arrays[name] for name in arrays.files]


def both(model: Path, samples: Samples, folder: Path) -> tuple[list[Any], list[Any]]:
    one, two = (
        answers(opened(runtime), model, samples, folder / f"{runtime}.npz")
        for runtime in ("tosa", "tflm")
    )
    return one, two


@pytest.mark.reference
@pytest.mark.usefixtures("reference")
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("ad_autoencoder/models/ad01_int8", (640,)),
        ("kws_dscnn/models/kws_int8", (49, 10, 1)),
        ("ic_resnet8/models/resnet8_int8", (32, 32, 3)),
    ],
)
def test_published_models_answer_to_the_bit_as_the_definition_of_their_arithmetic(
    reference_models: Path, tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    inputs = np.random.default_rng(3).integers(-128, 128, (4, *shape)).astype("int8")
    np.savez(tmp_path / "data.npz", x_test=inputs)
    samples = Samples(path=tmp_path / "data.npz", split="test")
    one, two = both(reference_models / f"{name}.tflite", samples, tmp_path)
    assert len(one) == len(two) == 1
    assert one[0].shape[0] == 4
    assert one[0].tobytes() == two[0].tobytes()
    assert len(np.unique(two[0])) > 4  # the answers are no constants


@pytest.mark.usefixtures("reference")
def test_the_examples_answer_to_the_bit_on_their_own_samples(
    digits_int8: Path, tmp_path: Path
) -> None:
    samples = Samples(path=EXAMPLES / "digits" / "data.npz", split="test", first=20)
    one, two = both(digits_int8, samples, tmp_path)
    assert [array.tobytes() for array in one] == [array.tobytes() for array in two]


@pytest.mark.usefixtures("reference")
def test_what_tosa_does_not_take_is_told(tmp_path: Path) -> None:
    path = Chain().conv("a").unary("DENSIFY", "d").write(tmp_path / "m.tflite")
    with opened("tosa").worker("tflite") as worker, pytest.raises(ModelError) as caught:
        worker.load(path)
    assert "ended with" in caught.value.message or "TOSA takes not all" in caught.value.message


class TestContract(DeviceContract):
    data = EXAMPLES / "digits" / "data.npz"

    @pytest.fixture(autouse=True)
    def integer(self, digits_int8: Path, tmp_path: Path, reference: None) -> None:
        self.model = digits_int8
        self.data = tmp_path / "few.npz"
        with np.load(EXAMPLES / "digits" / "data.npz") as data:
            np.savez(self.data, x_test=data["x_test"][:6])

    @pytest.fixture
    def device(self, integer: None) -> Device:
        return opened("tosa")


@pytest.mark.usefixtures("reference")
def test_its_answers_are_the_devices_arithmetic() -> None:
    device = opened("tosa")
    assert device.evidence(Predictions) is Evidence.EMULATED
    identity = device.identity("tflite")
    assert (identity.runtime, identity.version[:3]) == ("tosa", "202")


def test_where_it_is_missing_the_command_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDGEBUDGET_DATA", str(tmp_path))
    choice = DeviceChoice(profile=U55, run="vela", runtime="tosa")
    with pytest.raises(EdgeBudgetError, match="TOSA reference model is not installed") as caught:
        WAY.open(choice)
    assert caught.value.hint == INSTALL
    lacks = [lack for lack in WAY.lacks(choice) if "TOSA" in lack.what]
    assert [lack.command for lack in lacks] == [INSTALL]
    assert not any("TOSA" in lack.what for lack in WAY.lacks(DeviceChoice(profile=U55, run="vela")))


def test_free_sizes_become_one() -> None:
    text = (
        "func.func @main(%arg0: tensor<?x49x?x1xi8>) -> tensor<?x12xi8> {\n"
        "  %0 = tosa.const_shape {values = dense<[-1, 64]> : tensor<2xindex>}\n"
        '  %1 = "tosa.const"() <{values = dense<-1> : tensor<1xi8>}>\n'
    )
    assert _static(text) == (
        "func.func @main(%arg0: tensor<1x49x1x1xi8>) -> tensor<1x12xi8> {\n"
        "  %0 = tosa.const_shape {values = dense<[1, 64]> : tensor<2xindex>}\n"
        '  %1 = "tosa.const"() <{values = dense<-1> : tensor<1xi8>}>\n'
    )
