"""What runs beside the CPU of a board: looked at over there, operator by operator."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.devices.ways import way_named
from pytest_edgebudget.errors import DeviceError, MissingExtra, ModelError
from pytest_edgebudget.facts import MemoryFacts, PlacementFacts
from pytest_edgebudget.types import DeviceChoice, Evidence
from tests.devices.accelerated.help import compile_delegate, placement
from tests.devices.ssh.conftest import DIGITS, Boards

MODEL = DIGITS / "digits.tflite"


def test_a_delegate_of_the_board_is_looked_at_there(boards: Boards, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    library = str(compile_delegate(tmp_path))
    device = boards.device(delegate=library, options=(("take", "22"),))
    found = placement(device, MODEL)
    assert (found.total.ops, len(found.off), found.partitions) == (7, 6, 1)
    assert found.evidence is Evidence.MEASURED
    assert ("delegate", library) in device.identity("tflite").conditions
    assert "books" in device.refusal(MemoryFacts)
    assert device.formats == ("tflite",)
    with pytest.raises(ModelError, match=r"\.onnx models would run on the CPU"):
        device.runtime_for("onnx")


def test_a_delegate_that_the_board_has_not_is_an_error(boards: Boards) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    device = boards.device(delegate="libedgetpu-that-is-not-there.so.1")
    with device.worker("tflite") as worker, pytest.raises(DeviceError, match="cannot be loaded"):
        worker.load(MODEL)


def test_the_build_with_the_provider_is_asked_for(boards: Boards) -> None:
    device = boards.device(provider="TensorRT")
    with pytest.raises(MissingExtra, match="onnxruntime-gpu") as caught:
        device.identity("onnx")
    assert "pip install onnxruntime-gpu numpy" in caught.value.hint
    choice = DeviceChoice(
        profile=profile_named("raspberry-pi-4"), run=boards.url, provider="TensorRT"
    )
    lacks = way_named("ssh").lacks(choice)
    assert any("onnxruntime-gpu" in lack.command for lack in lacks)


def test_without_either_nothing_changes(boards: Boards) -> None:
    device = boards.device()
    assert device.source(PlacementFacts) is None
    assert device.refusal(MemoryFacts) == ""
