"""The memory map as a picture."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_edgebudget.errors import EdgeBudgetError, MissingExtra
from pytest_edgebudget.explain import svg

Explain = Callable[..., str]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(explained: Explain, content: bytes) -> ET.Element:
    explained(content, plot="map.svg", profile="stm32l4r5-tflm")
    return ET.fromstring(Path("map.svg").read_text(encoding="utf-8"))


def tooltips(picture: ET.Element) -> list[str]:
    return [title.text or "" for title in picture.findall(f"{SVG}rect/{SVG}title")]


def words(picture: ET.Element) -> list[str]:
    return [text.text or "" for text in picture.iter(f"{SVG}text")]


def test_each_buffer_is_a_rectangle_that_says_what_it_is(explained: Explain) -> None:
    import tflite_models as tfl

    picture = drawn(explained, tfl.pack(tfl.small_cnn()))
    assert sorted(tooltips(picture)) == [
        "0 CONV_2D: features, 1x4x4x3 float32, 192 B at 192, in use from op 0 to 1",
        "1 RESHAPE: flat, 1x48 float32, 192 B at 0, in use from op 1 to 2",
        "2 FULLY_CONNECTED: scores, 1x5 float32, 20 B at 192, in use from op 2 to 2",
        "input: input, 1x4x4x2 float32, 128 B at 0, in use from op 0 to 0",
    ]


def test_the_peak_the_ops_and_the_colours_are_named(explained: Explain) -> None:
    import tflite_models as tfl

    found = words(drawn(explained, tfl.pack(tfl.small_cnn())))
    assert {"peak 384 B", "1 RESHAPE", "convolution", "fully connected", "bytes in use"} <= {*found}


def test_rectangles_are_as_wide_and_high_as_the_plan_says(explained: Explain) -> None:
    import tflite_models as tfl

    picture = drawn(explained, tfl.pack(tfl.small_cnn()))
    boxes = {
        (rect.findtext(f"{SVG}title") or "").partition(":")[0]: rect
        for rect in picture.findall(f"{SVG}rect")
        if rect.find(f"{SVG}title") is not None
    }
    conv, flat, scores = (boxes[k] for k in ("0 CONV_2D", "1 RESHAPE", "2 FULLY_CONNECTED"))
    # Two steps and 192 B against one step and 20 B, less the seams between rectangles.
    assert float(conv.get("width", 0)) + 1.5 == pytest.approx(
        2 * (float(scores.get("width", 0)) + 1.5)
    )
    assert float(conv.get("height", 0)) == float(flat.get("height", 0))
    assert float(conv.get("y", 0)) < float(flat.get("y", 0))  # addresses grow upwards
    assert float(conv.get("x", 0)) < float(flat.get("x", 0))


def test_labels_lie_inside_their_rectangles(explained: Explain) -> None:
    from static_models import MODELS

    picture = drawn(explained, MODELS["encoder_decoder_int8"]())
    boxes = [rect for rect in picture.findall(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]
    labels = [text for text in picture.findall(f"{SVG}text") if text.get("pointer-events")]
    assert len(labels) > 4
    for label in labels:
        x, y = float(label.get("x", 0)), float(label.get("y", 0))
        wide = svg.text_width(label.text or "", 11) / 2
        assert any(
            left <= x - wide and x + wide <= left + width and top <= y - 8 and y <= top + height
            for left, top, width, height in map(box, boxes)
        ), label.text


def box(rect: ET.Element) -> tuple[float, ...]:
    return tuple(float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))


def test_a_runtime_without_places_has_stacks_as_high_as_what_is_in_use(explained: Explain) -> None:
    import onnx_models as om

    nodes = [
        om.helper.make_node("Relu", ["x"], ["a"]),
        om.helper.make_node("Sigmoid", ["a"], ["b"]),
        om.helper.make_node("Concat", ["a", "b"], ["c"], axis=1),
        om.helper.make_node("ReduceMean", ["c"], ["y"], axes=[1], keepdims=1),
    ]
    proto = om.model(nodes, [om.value("x", 1, 64)], [om.value("y", 1, 1)], [])
    explained(proto.SerializeToString(), name="model.onnx", plot="map.svg")
    picture = ET.fromstring(Path("map.svg").read_text(encoding="utf-8"))
    assert "peak 1.00 KiB" in words(picture)
    assert any("asks for each buffer alone" in text for text in words(picture))
    pieces = [r for r in picture.findall(f"{SVG}rect") if r.find(f"{SVG}title") is not None]
    columns: dict[float, float] = {}
    for piece in pieces:
        x, _, _, height = box(piece)
        columns[x] = columns.get(x, 0) + height + 1.5  # a seam between two rectangles
    tick = {t.text: float(t.get("y", 0)) for t in picture.iter(f"{SVG}text")}
    assert max(columns.values()) <= tick["0"] - tick["1.00 KiB"] + 0.1


def test_numbers_of_ops_on_the_axis_are_round(explained: Explain) -> None:
    from static_models import random_graph

    found = words(drawn(explained, random_graph(1, 100)))
    numbers = [int(word) for word in found[found.index("bytes in use") :] if word.isdigit()]
    assert numbers[1:] == [*range(0, 100, 5)]  # the first is the zero of the strip


def test_the_legend_names_the_colours_that_can_be_seen(explained: Explain) -> None:
    import tflite_models as tfl

    tensors = [tfl.tensor("x", [1, 30000]), tfl.tensor("y", [1, 30000]), tfl.tensor("z", [1, 1])]
    axes = tfl.tensor("axes", [1], "INT32", buffer=1)
    ops = [tfl.op(0, [0], [1]), tfl.op(1, [1, 3], [2], tfl.schema.ReducerOptionsT())]
    main = tfl.subgraph([*tensors, axes], ops, [0], [2])
    buffers = [tfl.buffer(), tfl.buffer(bytes([1, 0, 0, 0]))]
    content = tfl.pack(tfl.model([tfl.code("RELU"), tfl.code("SUM")], [main], buffers))
    found = words(drawn(explained, content))
    assert {"input", "elementwise"} <= {*found}
    assert "pooling, sums, resizing, softmax" not in found  # four bytes of 240,000


def test_nothing_leaves_the_picture(explained: Explain) -> None:
    from static_models import MODELS

    for name in ("chain_int8", "branching_float32", "unrolled_float32"):
        picture = drawn(explained, MODELS[name]())
        width, height = float(picture.get("width", 0)), float(picture.get("height", 0))
        for left, top, wide, high in map(box, picture.findall(f"{SVG}rect")):
            assert 0 <= left <= left + wide <= width
            assert 0 <= top <= top + high <= height


def test_names_from_a_hostile_file_stay_text(explained: Explain) -> None:
    import tflite_models as tfl

    value = tfl.small_cnn()
    value.subgraphs[0].tensors[3].name = '"/><script>alert(1)</script>&\x00\x1b'
    picture = drawn(explained, tfl.pack(value))
    assert not picture.findall(f".//{SVG}script")
    assert any('"/><script>alert(1)</script>&' in text for text in tooltips(picture))


def test_a_png_is_drawn_from_the_same_picture(explained: Explain) -> None:
    pytest.importorskip("resvg_py", reason="resvg-py is not installed")
    import tflite_models as tfl

    explained(tfl.pack(tfl.small_cnn()), plot="map.png")
    assert Path("map.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_png_without_resvg_names_the_extra(
    explained: Explain, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tflite_models as tfl

    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(MissingExtra, match=r"pytest-edgebudget\[plot\]"):
        explained(tfl.pack(tfl.small_cnn()), plot="map.png")


@pytest.mark.parametrize(
    ("plot", "message"),
    [("map.pdf", "a plot is .svg or .png"), ("no/such/folder/map.svg", "cannot be written")],
)
def test_a_picture_that_cannot_be_drawn_is_one_sentence(
    explained: Explain, plot: str, message: str
) -> None:
    import tflite_models as tfl

    with pytest.raises(EdgeBudgetError, match=message):
        explained(tfl.pack(tfl.small_cnn()), plot=plot)


@pytest.mark.reference
def test_every_real_model_is_drawn(explained: Explain, reference_models: Path) -> None:
    for path in reference_models.glob("*/models/*.tflite"):
        explained(path, plot="map.svg")
        picture = ET.fromstring(Path("map.svg").read_text(encoding="utf-8"))
        assert len(tooltips(picture)) >= 5
