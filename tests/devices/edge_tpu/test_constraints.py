"""The Edge TPU's published conditions, and what its compiler said of models that were published."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices.constraints import table_of
from pytest_edgebudget.devices.placement import placed
from tests.devices.edge_tpu.models import Chain, ints, mnist, options


def on(path: Path) -> dict[str, bool]:
    table = table_of("edge-tpu")
    assert table is not None
    return {it.op.name: it.on for it in placed(graph.read(path), table)}


ZEROS, ONES = ([1, 8, 8, 4], "INT8", bytes(256)), ([1, 8, 8, 4], "INT8", b"\1" * 256)
FLAT = [1, 16]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (
            Chain().conv("op", dilation=(1, 2)),
            "the dilation must be the same in height and width (dilation 1x2)",
        ),
        (
            Chain(shape=[1, 4, 4, 6]).op(
                "MEAN", "op", ints(3), options=options("Reducer"), shape=[1, 4, 4]
            ),
            "a mean over the depth needs a multiple of 4 (depth 6)",
        ),
        (Chain().op("SOFTMAX", "op"), "a softmax must have one dimension (shape 1x8x8x4)"),
        (
            Chain(shape=[1, 16001]).op("SOFTMAX", "op"),
            "a softmax must have at most 16,000 elements (16,001 elements)",
        ),
        (
            Chain().op("PRELU", "op", ([8, 1, 4], "INT8", bytes(32))),
            "slopes must differ by channel only (shape 8x1x4)",
        ),
        (
            Chain(shape=[2, 8, 8]).op("SPLIT", "op", ints(0), first=False, shape=[1, 8, 8]),
            "the batch must not be split (axes [0])",
        ),
        (
            Chain().op("CONCATENATION", "op", ONES, options=options("Concatenation", axis=3)),
            "a constant must be zeros and one of two inputs (op/0 is a constant)",
        ),
        (
            Chain().op("CONCATENATION", "op", ZEROS, ZEROS, options=options("Concatenation")),
            "a constant must be zeros and one of two inputs (op/0 is a constant)",
        ),
    ],
)
def test_a_condition_of_corals_table_that_is_not_met_is_the_reason(
    tmp_path: Path, model: Chain, reason: str
) -> None:
    table = table_of("edge-tpu")
    assert table is not None
    (found,) = placed(graph.read(model.write(tmp_path / "m.tflite")), table)
    assert [str(each) for each in found.reasons] == [reason]


@pytest.mark.parametrize(
    "model",
    [
        Chain().conv("op", dilation=(2, 2)),
        Chain(shape=[1, 4, 4, 8]).op("MEAN", "op", ints(3), shape=[1, 4, 4]),
        Chain(shape=[1, 16000]).op("SOFTMAX", "op"),
        Chain().op("PRELU", "op", ([1, 1, 4], "INT8", bytes(4))),
        Chain().op("SPLIT", "op", ints(3), first=False, shape=[1, 8, 8, 4]),
        Chain().op("CONCATENATION", "op", ZEROS, options=options("Concatenation", axis=3)),
    ],
)
def test_just_what_the_table_allows_is_taken(tmp_path: Path, model: Chain) -> None:
    assert on(model.write(tmp_path / "m.tflite")) == {"op": True}


def test_a_network_whose_compiler_report_was_published_is_placed_as_the_report_says(
    tmp_path: Path,
) -> None:
    # mnist4 of the README there, Edge TPU Compiler 15.0: all mapped but QUANTIZE and DEQUANTIZE.
    placing = on(mnist(tmp_path / "mnist4.tflite", float_ends=True))
    assert Counter(placing.values()) == {True: 8, False: 2}
    assert [name for name, taken in placing.items() if not taken] == ["quantize", "dequantize"]
    # mnist7: all mapped.
    assert all(on(mnist(tmp_path / "mnist7.tflite", float_ends=False)).values())


def test_a_conversion_in_the_middle_does_end_the_edge_tpus_part(tmp_path: Path) -> None:
    model = Chain().conv("a").op("DEQUANTIZE", "out", type_="FLOAT32").op("QUANTIZE", "in")
    placing = on(model.conv("b").write(tmp_path / "m.tflite"))
    assert placing == {"a": True, "out": False, "in": False, "b": False}


@pytest.mark.reference
def test_a_ds_cnn_is_mapped_whole_as_its_published_report_says(reference_models: Path) -> None:
    # DS-CNN-L for the Coral Dev Board Micro: "all 12 ops on the Edge TPU, 0 CPU fallbacks".
    placing = on(reference_models / "kws_dscnn" / "models" / "kws_int8.tflite")
    assert all(placing.values())
