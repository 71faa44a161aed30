"""What falls off an accelerator by its published constraints, read as metrics."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices import load_profile, open_device, profiles
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.placement_facts import published_placement
from pytest_edgebudget.facts import PlacementFacts
from pytest_edgebudget.metrics import cpu_fallback, off_chip
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import DeviceChoice, Evidence, Measurement
from tests.devices.edge_tpu.models import MACS, WEIGHTS, Chain
from tests.measure.help import artifact, read, wanted

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits"


def facts(path: Path, profile: str = "coral-usb-accelerator") -> PlacementFacts:
    return published_placement(graph.read(path), load_profile(profiles()[profile]))


def measured(path: Path, profile: str, store: Path) -> Measurement:
    choice = DeviceChoice(profile=load_profile(profiles()[profile]), run="static")
    asked = wanted(cpu_fallback.METRIC, off_chip.METRIC)
    return read(artifact(path), asked, open_device(choice), Store(store, 1 << 20))


def test_the_first_operator_that_is_not_taken_starts_the_cpus_part(tmp_path: Path) -> None:
    model = Chain().conv("a").op("ELU", "act").conv("b").conv("c")
    found = facts(model.write(tmp_path / "m.tflite"))
    assert (found.total.ops, found.total.macs) == (4, 3 * MACS)
    assert [(op.name, op.kind, op.macs, op.reason) for op in found.off] == [
        ("act", "ELU", 0, "the Edge TPU has no ELU"),
        *(
            (name, "CONV_2D", MACS, "behind ELU, which is not taken, all operators run on the CPU")
            for name in ("b", "c")
        ),
    ]
    assert (found.partitions, found.most, found.evidence) == (1, None, Evidence.ESTIMATED)
    assert found.off_chip is not None
    assert (found.off_chip.value, found.off_chip.low) == (0, 0)
    assert found.off_chip.high == -(-WEIGHTS * 16 // 10)


def test_a_branch_that_needs_nothing_of_what_fell_off_is_off_or_not(tmp_path: Path) -> None:
    model = Chain().conv("a").op("ELU", "act").restart().conv("b")
    found = facts(model.write(tmp_path / "m.tflite"))
    assert [op.name for op in found.off] == ["act", "b"]
    assert found.least is not None
    assert (found.least.ops, found.least.macs) == (1, 0)


def test_an_accelerator_that_is_entered_anew_keeps_what_is_behind(tmp_path: Path) -> None:
    model = Chain().conv("a").op("FLOOR", "act").conv("b")
    found = facts(model.write(tmp_path / "m.tflite"), "ethos-u55-128")
    assert [op.name for op in found.off] == ["act"]
    assert (found.partitions, found.off_chip) == (2, None)


def test_what_a_compiler_may_refuse_is_in_the_upper_end(tmp_path: Path) -> None:
    path = Chain().conv("a").reshape("r").conv("b").write(tmp_path / "m.tflite")
    reading = measured(path, "coral-usb-accelerator", tmp_path / "s").readings["cpu_fallback"]
    assert (reading.value, reading.low, reading.high) == (0.0, 0.0, 0.5)
    assert reading.evidence is Evidence.ESTIMATED
    assert reading.noisy
    assert "its compiler may refuse RESHAPE of large tensors" in reading.note
    assert reading.key == (
        ("device", "coral-usb-accelerator"),
        ("tool", "published constraints of edge-tpu"),
    )


def test_what_is_counted_is_part_of_the_comparison_key(tmp_path: Path) -> None:
    path = Chain().conv("a").op("ELU", "act").write(tmp_path / "m.tflite")
    choice = DeviceChoice(profile=load_profile(profiles()["android-gpu"]), run="static")
    asked = wanted(cpu_fallback.METRIC, of="ops")
    store = Store(tmp_path / "s", 1 << 20)
    reading = read(artifact(path), asked, open_device(choice), store).readings["cpu_fallback"]
    assert ("options", '{"of": "ops"}') in reading.key


def test_a_device_without_an_accelerator_has_nothing_to_fall_off(tmp_path: Path) -> None:
    found = measured(DIGITS / "digits.tflite", "raspberry-pi-4", tmp_path / "s")
    reason = "raspberry-pi-4 has no accelerator, and the CPU runs everything"
    assert {name: it.reason for name, it in found.missing.items()} == {
        "cpu_fallback": reason,
        "off_chip": reason,
    }


def test_the_tables_tell_of_tflite_only() -> None:
    with pytest.raises(CannotTell, match=r"what the Edge TPU takes of a \.onnx is not published"):
        facts(DIGITS / "digits.onnx")
