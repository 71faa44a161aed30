"""A difference by layer: what each layer makes of it, and that all of it is told."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="makes the nets")
pytest.importorskip("hypothesis", reason="draws the nets")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_edgebudget.changes.account import Counted, Versions
from pytest_edgebudget.changes.arena import GAPS, ROOM
from pytest_edgebudget.changes.arena import INPUT as READ
from pytest_edgebudget.changes.split import Setting
from pytest_edgebudget.devices import profile_named
from pytest_edgebudget.errors import EdgeBudgetError
from tests.changes.nets import INPUT, ROWS, Layer, chain

LAYERS = st.lists(
    st.tuples(st.sampled_from("abcdefg"), st.sampled_from([0, 4, 8, 12])), min_size=1, max_size=9
)
METRICS = ("size", "download_size", "macs", "arena", "activation_plan")


def counted(before: Path, after: Path, metric: str, profile: str = "raspberry-pi-4") -> Counted:
    runtime = "onnxruntime" if after.suffix == ".onnx" else "litert"
    setting = Setting(profile=profile_named(profile), runtime=runtime)
    found = Versions(before, after, setting).counted(metric)
    assert found is not None
    return found


def parts(found: Counted) -> dict[str, float]:
    return {piece.name: piece.value for piece in found.found.pieces}


def test_bytes_and_products_of_a_widened_layer(tmp_path: Path) -> None:
    before = chain(tmp_path / "a.onnx", [("a", 16), ("b", 16), ("c", 4)])
    after = chain(tmp_path / "b.onnx", [("a", 16), ("b", 1016), ("c", 4)])
    size, macs = counted(before, after, "size"), counted(before, after, "macs")

    # 1000 more columns of 16 floats, and 1000 more rows of 4; protobuf's lengths beside them
    assert parts(size)["b"] == 4 * 16 * 1000
    assert parts(size)["c"] == 4 * 1000 * 4
    assert size.found.total == after.stat().st_size - before.stat().st_size
    assert size.found.enough == 2
    assert [piece.what for piece in size.found.pieces[:2]] == ["16x16 -> 16x1016", "16x4 -> 1016x4"]
    assert parts(macs) == {"b": ROWS * 16 * 1000, "c": ROWS * 1000 * 4}


def test_what_belongs_to_no_layer_is_named(tmp_path: Path) -> None:
    before = chain(tmp_path / "a.onnx", [("a", 4)])
    after = chain(tmp_path / "b.onnx", [("a", 4)], note="n" * 5000)
    found = parts(counted(before, after, "size"))

    assert found["(metadata)"] == 5000
    assert set(found) <= {"(metadata)", "(names, options and quantization)"}


def test_a_layer_that_compresses_badly_costs_the_download_most(tmp_path: Path) -> None:
    before = chain(tmp_path / "a.onnx", [("a", 16), ("b", 16)])
    after = chain(tmp_path / "b.onnx", [("a", 16), ("b", 400)])
    found = counted(before, after, "download_size").found
    lengths = [len(zlib.compress(path.read_bytes(), 9)) for path in (before, after)]

    assert (found.before, found.after) == tuple(lengths)
    assert found.pieces[0].name == "b"


def test_memory_is_told_where_the_new_version_is_fullest(tmp_path: Path) -> None:
    before = chain(tmp_path / "a.onnx", [("a", 64), ("b", 8), ("c", 16)])
    after = chain(tmp_path / "b.onnx", [("a", 64), ("b", 8), ("c", 256)])
    found = parts(counted(before, after, "activation_plan"))

    # then a: 4x8 in and 4x64 out; now c: 4x8 in and 4x256 out, where 4x8 and 4x16 were
    assert found["c"] == 4 * ROWS * (256 - 16)
    assert found[ROOM] == -(4 * ROWS * (INPUT + 64) - 4 * ROWS * (8 + 16))
    assert set(found) <= {"c", ROOM, GAPS, READ}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(before=LAYERS, after=LAYERS)
def test_the_parts_add_up_to_the_whole_whatever_changed(
    tmp_path: Path, before: list[Layer], after: list[Layer]
) -> None:
    one, other = chain(tmp_path / "a.onnx", before), chain(tmp_path / "b.onnx", after)
    setting = Setting(profile=profile_named("raspberry-pi-4"), runtime="onnxruntime")
    versions = Versions(one, other, setting)
    pairs, match = versions.matched.pairs, versions.matched

    assert len(pairs) + len(match.removed) == len(before)
    assert len(pairs) + len(match.added) == len(after)
    assert len({a.where for a, _ in pairs}) == len({b.where for _, b in pairs}) == len(pairs)
    for metric in METRICS:
        found = versions.counted(metric)
        assert found is not None
        assert sum(piece.value for piece in found.found.pieces) == found.found.total
        left = sum(piece.value for piece in found.found.pieces[found.found.enough :])
        assert 10 * abs(left) <= abs(found.found.total)
    size = versions.counted("size")
    assert size is not None
    assert size.found.total == other.stat().st_size - one.stat().st_size


def test_two_formats_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(EdgeBudgetError, match=r"a \.tflite model then, a \.onnx model now"):
        Versions(tmp_path / "a.tflite", tmp_path / "b.onnx").counted("size")


def test_a_metric_that_no_layer_has_a_part_of_tells_nothing(tmp_path: Path) -> None:
    path = chain(tmp_path / "a.onnx", [("a", 4)])

    assert Versions(path, path).counted("accuracy") is None
    assert Versions(path, path).counted("arena") is None  # it is not known what runs it


@pytest.mark.reference
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("resnet8_float32.tflite", "resnet8_large_float32.tflite"),
        ("resnet8_float32.tflite", "resnet8_int8.tflite"),
        ("ic_alibaba_float.onnx", "resnet8_qdq_int8.onnx"),
    ],
)
def test_the_parts_add_up_on_real_models(reference_models: Path, old: str, new: str) -> None:
    folder = reference_models / "ic_resnet8" / "models"
    before, after = folder / old, folder / new
    for metric in METRICS:
        found = counted(before, after, metric).found
        assert sum(piece.value for piece in found.pieces) == found.total
    size = counted(before, after, "size").found

    assert size.total == after.stat().st_size - before.stat().st_size
    assert 0 < size.enough < len(size.pieces)


@pytest.mark.reference
def test_the_parts_of_an_estimated_time_add_up_to_what_explain_says(
    reference_models: Path,
) -> None:
    from pytest_edgebudget.explain.time import times
    from pytest_edgebudget.graph import read

    folder = reference_models / "ic_resnet8" / "models"
    paths = folder / "resnet8_float32.tflite", folder / "resnet8_large_float32.tflite"
    profile = profile_named("raspberry-pi-4")
    told = [times(read(path), profile, "litert").found for path in paths]
    found = counted(*paths, "latency").found

    assert told[0] is not None
    assert told[1] is not None
    assert found.total == pytest.approx(told[1].latency.value - told[0].latency.value)
    assert sum(piece.value for piece in found.pieces) == pytest.approx(found.total)
    assert {piece.kind for piece in found.pieces[: found.enough]} == {"CONV_2D"}
