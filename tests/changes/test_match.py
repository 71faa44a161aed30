"""Which layer of one version is which of another."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="makes the nets")

from pytest_edgebudget.changes.attribute import difference
from pytest_edgebudget.changes.match import Match, match
from pytest_edgebudget.graph import read
from tests.changes import nets
from tests.changes.nets import Layer, chain


def matched(tmp_path: Path, before: list[Layer], after: list[Layer]) -> Match:
    return match(read(chain(tmp_path / "a.onnx", before)), read(chain(tmp_path / "b.onnx", after)))


def changes(found: Match) -> dict[str, str]:
    """What became of each layer that changed, by its name now."""
    words = {new.name: difference(old, new) for old, new in found.pairs}
    words |= {node.name: "removed" for node in found.removed}
    words |= {node.name: "added" for node in found.added}
    return {name: what for name, what in words.items() if what}


OLD: list[Layer] = [("a", 16), ("r", 0), ("b", 16), ("s", 0), ("c", 4)]


@pytest.mark.parametrize(
    ("after", "found"),
    [
        (OLD, {}),
        (
            [("a", 16), ("r", 0), ("b", 24), ("s", 0), ("c", 4)],
            {"b": "16x16 -> 16x24", "s": "output 4x16 -> 4x24", "c": "16x4 -> 24x4"},
        ),
        ([("a", 16), ("r", 0), ("c", 4)], {"b": "removed", "s": "removed"}),
        ([*OLD[:2], ("n", 16), *OLD[2:]], {"n": "added"}),
        ([("a", 16), ("r", 0), ("z", 16), ("s", 0), ("c", 4)], {"z": "was b"}),
        ([("v", 16), ("w", 0), ("x", 16), ("y", 0), ("z", 4)],
         {"v": "was a", "w": "was r", "x": "was b", "y": "was s", "z": "was c"}),
    ],
)  # fmt: skip
def test_a_layer_is_widened_removed_added_or_renamed(
    tmp_path: Path, after: list[Layer], found: dict[str, str]
) -> None:
    assert changes(matched(tmp_path, OLD, after)) == found


def test_a_layer_put_in_does_not_rename_those_behind_it(tmp_path: Path) -> None:
    """Keras numbers layers: what was ``dense_1`` is now ``dense_2``."""
    before = [("dense", 32), ("dense_1", 4)]
    after = [("dense", 32), ("dense_1", 32), ("dense_2", 4)]

    assert changes(matched(tmp_path, before, after)) == {
        "dense_1": "added",
        "dense_2": "was dense_1",
    }


def test_equal_layers_without_names_in_common_are_aligned_in_order(tmp_path: Path) -> None:
    before = [(f"p{n}", 8) for n in range(6)]
    after = [(f"q{n}", 8) for n in range(5)]
    found = matched(tmp_path, before, after)

    assert len(found.pairs) == 5
    assert len(found.removed) == 1
    assert not found.added


def test_branches_in_another_order_are_the_same_layers(tmp_path: Path) -> None:
    np, helper = nets.np, nets.helper

    def two_branches(path: Path, order: str) -> Path:
        sizes = {"left": 8, "right": 24}
        weights = [
            nets.numpy_helper.from_array(np.ones((nets.INPUT, size), np.float32), name)
            for name, size in sizes.items()
        ]
        nodes = [
            helper.make_node("MatMul", ["x", name], [f"{name}_out"], name) for name in order.split()
        ]
        joined = helper.make_node("Concat", ["left_out", "right_out"], ["y"], "join", axis=1)
        return nets.write(path, [*nodes, joined], weights, 32)

    one = read(two_branches(tmp_path / "a.onnx", "left right"))
    other = read(two_branches(tmp_path / "b.onnx", "right left"))
    found = match(one, other)

    assert sorted((old.name, new.name) for old, new in found.pairs) == [
        ("join", "join"), ("left", "left"), ("right", "right"),
    ]  # fmt: skip
    assert changes(found) == {}


def test_a_long_model_of_equal_layers_is_matched_by_names(tmp_path: Path) -> None:
    before = [(f"r{n}", 0) for n in range(1200)]
    after = [*before[:600], ("new", 8), *before[601:]]
    found = matched(tmp_path, [("d", 8), *before], [("d", 8), *after])

    assert changes(found) == {"r600": "removed", "new": "added"}


@pytest.mark.reference
@pytest.mark.parametrize(
    ("float_", "integer"),
    [
        ("ic_resnet8/models/resnet8_float32.tflite", "ic_resnet8/models/resnet8_int8.tflite"),
        ("ad_autoencoder/models/ad01_float32.tflite", "ad_autoencoder/models/ad01_int8.tflite"),
    ],
)
def test_each_weighted_layer_is_found_in_the_quantized_model(
    reference_models: Path, float_: str, integer: str
) -> None:
    """A quantizer changes dtypes and keeps the order of layers with weights."""
    before, after = read(reference_models / float_), read(reference_models / integer)
    weighted = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}
    old = [place for place, op in enumerate(before.ops) if op.kind in weighted]
    new = [place for place, op in enumerate(after.ops) if op.kind in weighted]
    kinds = [[graph.ops[i].kind for i in places] for graph, places in ((before, old), (after, new))]
    if kinds[0] != kinds[1]:
        pytest.skip("the two were converted to different ops")
    pairs = {a.where[1]: b.where[1] for a, b in match(before, after).pairs}

    assert [pairs.get(place) for place in old] == new
