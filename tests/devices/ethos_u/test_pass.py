"""The pass `vela`: what is flashed, checked in the file, and run as what it was made from."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.build import build
from pytest_edgebudget.data import DataFile, load_data
from pytest_edgebudget.devices import open_device, profile_named
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import NpuFacts
from pytest_edgebudget.metrics import accuracy, macs, npu_cycles, npu_sram, size
from pytest_edgebudget.passes import BUILT_IN
from pytest_edgebudget.passes.vela import PASS
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, DeviceChoice, Evidence, Recipe, Step
from tests.devices.ethos_u.conftest import EXAMPLES
from tests.devices.ethos_u.models import Chain
from tests.measure.help import artifact, read, wanted

PASSES = {each.name: each for each in BUILT_IN}
U55 = profile_named("ethos-u55-128")
SIZE = Step("vela", (), (("optimise", "size"),))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"), 1 << 26)


@pytest.fixture(scope="module")
def data(store: Store) -> DataFile:
    return load_data(EXAMPLES / "digits" / "data.npz", root=EXAMPLES, store=store)


def made(model: Path, store: Store, *steps: Step, profile: str = "ethos-u55-128") -> Artifact:
    return build(
        Recipe(steps),
        artifact(model),
        passes=PASSES,
        data=None,
        root=model.parent,
        store=store,
        runtime="litert",
        target=profile_named(profile),
    )


def test_the_file_is_velas_and_holds_operators_for_the_npu(digits_int8: Path, store: Store) -> None:
    found = made(digits_int8, store, Step("vela"))
    compiled = graph.read(found.path)
    assert [op.kind for op in compiled.ops] == ["ethos-u"]
    assert compiled.description == "Vela Optimised"
    assert found.uncompiled is not None
    assert found.uncompiled.read_bytes() == digits_int8.read_bytes()
    again = made(digits_int8, store, Step("vela"))
    assert again == found


def test_what_was_compiled_from_is_remembered_with_the_file(
    digits_int8: Path, store: Store
) -> None:
    found = made(digits_int8, store, Step("vela"))
    assert found.uncompiled is not None
    found.uncompiled.unlink()  # the cache has a limit of size
    again = made(digits_int8, store, Step("vela"))
    assert again.uncompiled is not None
    assert again.uncompiled.is_file()


def test_size_takes_less_sram_and_more_cycles(
    digits_int8: Path, store: Store, data: DataFile
) -> None:
    device = open_device(DeviceChoice(profile=U55, run="vela"))
    try:
        asked = wanted(npu_sram.METRIC, npu_cycles.METRIC, size.METRIC, macs.METRIC)
        fast, small = (
            read(made(digits_int8, store, step), asked, device, store).readings
            for step in (Step("vela"), SIZE)
        )
        assert small["npu_sram"].value < fast["npu_sram"].value
        assert small["npu_cycles"].value > fast["npu_cycles"].value
        assert "optimised for size" in small["npu_cycles"].note
        assert small["npu_cycles"].key != fast["npu_cycles"].key
        plain = read(artifact(digits_int8), asked, device, store).readings
        assert plain["npu_sram"] == fast["npu_sram"]
        assert plain["macs"].value == fast["macs"].value == small["macs"].value
        assert fast["size"].value == made(digits_int8, store, Step("vela")).path.stat().st_size
    finally:
        device.close()


def test_the_compiled_model_answers_as_the_model_that_it_was_made_from(
    digits_int8: Path, store: Store, data: DataFile
) -> None:
    pytest.importorskip("tflite_micro", reason="pip install 'pytest-edgebudget[mcu]'")
    device = open_device(DeviceChoice(profile=U55, run="vela"))
    try:
        asked = wanted(accuracy.METRIC)
        before, after = (
            read(each, asked, device, store, data=data).readings["accuracy"]
            for each in (artifact(digits_int8), made(digits_int8, store, SIZE))
        )
    finally:
        device.close()
    assert (after.value, after.evidence) == (before.value, Evidence.EMULATED)
    assert {"vela", "vela_memory", "vela_system"} <= dict(after.key).keys()


def test_each_npu_gets_a_file_of_its_own(digits_int8: Path, store: Store) -> None:
    files = {
        made(digits_int8, store, Step("vela"), profile=npu).sha256
        for npu in ("ethos-u55-32", "ethos-u55-256", "ethos-u65-512", "ethos-u85-256")
    }
    assert len(files) == 4


def test_a_float_model_does_not_keep_the_promise(store: Store) -> None:
    model = EXAMPLES / "digits" / "digits.tflite"
    with pytest.raises(BuildError, match="no operator is left for the NPU"):
        made(model, store, Step("vela"))


def test_nothing_comes_behind_it(digits_int8: Path, store: Store) -> None:
    with pytest.raises(BuildError, match="make vela the last step of the recipe"):
        made(digits_int8, store, Step("vela"), Step("weights_int8"))


def test_another_device_and_another_word_are_told(digits_int8: Path, store: Store) -> None:
    with pytest.raises(BuildError, match="compiles for an Arm Ethos-U, and the device has none"):
        made(digits_int8, store, Step("vela"), profile="stm32l4r5-tflm")
    wrong = Step("vela", (), (("optimise", "speed"),))
    with pytest.raises(BuildError, match="does not optimise for speed"):
        made(digits_int8, store, wrong)


def test_a_model_that_somebody_compiled_tells_no_more(
    digits_int8: Path, store: Store, tmp_path: Path
) -> None:
    theirs = artifact(made(digits_int8, store, Step("vela")).path)
    device = open_device(DeviceChoice(profile=U55, run="vela"))
    try:
        fresh = Store(tmp_path / "store", 1 << 20)
        missing = read(theirs, wanted(npu_sram.METRIC), device, fresh).missing["npu_sram"]
    finally:
        device.close()
    assert missing.reason == (
        "the model is compiled by Vela already, and tells no more of itself; "
        "name the .tflite that it was made from"
    )


def test_the_check_looks_at_the_file(digits_int8: Path, store: Store, tmp_path: Path) -> None:
    before = graph.read(digits_int8)
    after = graph.read(made(digits_int8, store, Step("vela")).path)
    assert PASS.check(before, after, Step("vela")) == ""
    assert "no operator is left" in PASS.check(before, before, Step("vela"))
    other = graph.read(Chain().conv("a").write(tmp_path / "m.tflite"))
    assert "the inputs changed their shape" in PASS.check(other, after, Step("vela"))


def test_facts_of_one_file_are_asked_once(digits_int8: Path, store: Store) -> None:
    device = open_device(DeviceChoice(profile=U55, run="vela"))
    try:
        gather = device.source(NpuFacts)
        assert gather is not None
        one = gather(artifact(digits_int8), lambda worker: None)
        digest = hashlib.sha256(digits_int8.read_bytes()).hexdigest()
        gone = replace(artifact(digits_int8), path=Path("/nowhere.tflite"), sha256=digest)
        assert gather(gone, lambda worker: None) == one
    finally:
        device.close()
