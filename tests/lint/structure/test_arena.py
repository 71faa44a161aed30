"""EB212: what the arena could do without. The expected values: smallest arenas that run."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.graph.arena import Buffer
from pytest_edgebudget.graph.memory import plan
from pytest_edgebudget.lint.base import Severity
from pytest_edgebudget.lint.structure import wasted_arena
from tests.graph import tflite_models as tflite
from tests.lint.check import findings, messages
from tests.lint.structure import edits
from tests.lint.structure.runtimes import arena

RULE = wasted_arena.RULE
schema = tflite.schema

BETTER = (0, 2, 1, 3, 4)


def branches(order: Sequence[int]) -> Any:
    """Two wide convolutions of one input, each reduced to its mean; the means are joined."""
    conv, mean = schema.Conv2DOptionsT(), schema.ReducerOptionsT()
    conv.strideW = conv.strideH = 1
    tensors = [
        tflite.tensor("input", [1, 8, 8, 2]),
        tflite.tensor("kernel", [16, 1, 1, 2], buffer=1),
        tflite.tensor("bias", [16], buffer=2),
        tflite.tensor("axes", [2], "INT32", buffer=3),
        tflite.tensor("wide", [1, 8, 8, 16]),
        tflite.tensor("wide too", [1, 8, 8, 16]),
        tflite.tensor("mean", [1, 16]),
        tflite.tensor("mean too", [1, 16]),
        tflite.tensor("output", [1, 32]),
    ]
    ops = [
        tflite.op(0, [0, 1, 2], [4], conv),
        tflite.op(0, [0, 1, 2], [5], conv),
        tflite.op(1, [4, 3], [6], mean),
        tflite.op(1, [5, 3], [7], mean),
        tflite.op(2, [6, 7], [8], concatenation()),
    ]
    buffers = [tflite.buffer(data) for data in (b"", tflite.floats(32), tflite.floats(16))]
    buffers.append(tflite.buffer(struct.pack("<2i", 1, 2)))
    codes = [tflite.code("CONV_2D", 3), tflite.code("MEAN"), tflite.code("CONCATENATION")]
    main = tflite.subgraph(tensors, [ops[index] for index in order], [0], [8])
    return tflite.model(codes, [main], buffers)


def test_of_a_model_that_tflite_micro_does_not_run_no_arena_is_told(tmp_path: Path) -> None:
    # GELU instead of the joining op: the order is as wasteful, and nothing runs it.
    model = branches(range(5))
    main = model.subgraphs[0]
    main.operators[-1] = tflite.op(2, [6], [8])
    main.tensors[8].shape = [1, 16]
    main.outputs = [7, 8]
    runs, refused = (tmp_path / f"{name}.tflite" for name in ("runs", "refused"))
    model.operatorCodes[2] = tflite.code("RELU")
    edits.write(model, runs)
    model.operatorCodes[2] = tflite.code("GELU")
    edits.write(model, refused)
    assert len(messages(RULE, runs)) == 1
    assert messages(RULE, refused) == []
    with pytest.raises(RuntimeError):
        runtime_of(refused)


def runtime_of(path: Path) -> Any:
    module = pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime", reason="tflite-micro is not installed"
    )
    return module.Interpreter.from_file(str(path), arena_size=100_000)


def concatenation() -> Any:
    options = schema.ConcatenationOptionsT()
    options.axis = 1
    return options


def test_a_better_order_is_found_and_it_saves_what_is_said(tmp_path: Path) -> None:
    wasteful = edits.write(branches(range(5)), tmp_path / "wasteful.tflite")
    better = edits.write(branches(BETTER), tmp_path / "better.tflite")

    (finding,) = findings(RULE, wasteful)

    # about 8x8x16 floats twice against once, beside the input of 8x8x2 floats
    assert finding.message == (
        "in another order of its ops, TensorFlow Lite Micro would plan 4.59 KiB "
        "instead of 8.50 KiB: 46% less"
    )
    assert finding.severity is None
    assert RULE.severity is Severity.NOTE
    assert arena(wasteful) - arena(better) == pytest.approx((8.5 - 4.59) * 1024, abs=48)


def test_the_better_order_itself_has_no_finding(tmp_path: Path) -> None:
    assert messages(RULE, edits.write(branches(BETTER), tmp_path / "m.tflite")) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet", "residual"])
def test_gaps_that_are_found_can_be_closed_by_an_offline_plan(
    keras_models: Path, tmp_path: Path, name: str
) -> None:
    path = keras_models / f"{name}.tflite"
    planned = plan(graph.read(path), "tflm")
    (message,) = messages(RULE, path)
    assert message == (
        "TensorFlow Lite Micro's plan needs 32.0 KiB, of which at most 24.0 KiB are in use "
        "at once: 25% are gaps"
    )

    offsets = tightest([item.buffer for item in planned.allocations], planned.lower_bound)
    closed = edits.write(with_offline_plan(path, offsets), tmp_path / "closed.tflite")

    assert arena(path) - arena(closed) == pytest.approx(8 * 1024, abs=32)


def tightest(buffers: list[Buffer], bound: int) -> dict[int, int]:
    """Offsets by tensor that need no more than *bound*, found by trying orders."""
    shuffle = random.Random(0).shuffle
    for _ in range(5000):
        shuffle(buffers)
        placed: list[tuple[int, Buffer]] = []
        for buffer in buffers:
            placed.append((gap(buffer, placed), buffer))
        if max(offset + buffer.size for offset, buffer in placed) <= bound:
            return {buffer.tensor: offset for offset, buffer in placed}
    raise AssertionError("no order without gaps was found")


def gap(buffer: Buffer, placed: list[tuple[int, Buffer]]) -> int:
    """The first place where *buffer* meets nobody who lives with it."""
    offset = 0
    for start, other in sorted(placed, key=lambda item: item[0]):
        if other.lives_with(buffer):
            if offset + buffer.size <= start:
                break
            offset = max(offset, -(-(start + other.size) // 16) * 16)
    return offset


def with_offline_plan(path: Path, offsets: dict[int, int]) -> Any:
    """The model with the metadata that TensorFlow Lite Micro takes its plan from."""
    model = edits.load(path)
    places = [offsets.get(index, -1) for index in range(len(model.subgraphs[0].tensors))]
    model.buffers.append(
        tflite.buffer(struct.pack(f"<{3 + len(places)}i", 1, 0, len(places), *places))
    )
    note = schema.MetadataT()
    note.name, note.buffer = "OfflineMemoryAllocation", len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), note]
    return model


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "conv1d", "digits_open"])
def test_chains_without_gaps_have_no_finding(keras_models: Path, name: str) -> None:
    assert messages(RULE, keras_models / f"{name}.tflite") == []


@pytest.mark.slow
def test_what_cannot_be_planned_exactly_has_no_finding(keras_models: Path) -> None:
    path = keras_models / "attention_open.tflite"
    assert not plan(graph.read(path), "tflm").exact  # REDUCE_PROD has no kernel there
    assert messages(RULE, path) == []


@pytest.mark.reference
def test_published_models_waste_nothing(reference_models: Path) -> None:
    files = [*reference_models.glob("*/models/*.tflite")]
    found = itertools.chain.from_iterable(messages(RULE, path) for path in files)
    assert (len(files) > 8, list(found)) == (True, [])
