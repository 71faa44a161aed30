"""Large models are mapped: their constants cost neither time nor memory until they are looked at."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
import tflite_models as tfl
from test_hostile import field, onnx_with, varint

from pytest_edgebudget import graph
from pytest_edgebudget.graph.mapped import MAPPED

pytest.importorskip("resource", reason="the resource module is not there")
from alone import alone

SIZE = 500_000_000
"""Bytes of the constant; the file is sparse, so that it takes no room on the disk."""
END = b"the end!"


def extended(path: Path, start: bytes, size: int) -> Path:
    """*start*, zeros, and END: *size* bytes behind the start."""
    path.write_bytes(start)
    os.truncate(path, len(start) + size - len(END))
    with path.open("ab") as file:
        file.write(END)
    return path


def tflite(path: Path) -> Path:
    """A .tflite with a constant of SIZE bytes inside the flatbuffer."""
    value = tfl.small_cnn()
    value.subgraphs[0].tensors[6] = tfl.tensor("weights", [5, SIZE // 5], "INT8", buffer=4)
    value.buffers[4] = tfl.buffer(END)
    data = bytearray(tfl.pack(value))
    # The vector moves to the end of the file, where it can be as long as it likes.
    vector, end = data.index(struct.pack("<I", len(END)) + END), len(data)
    pointer = next(
        place
        for place in range(0, vector, 4)
        if place + struct.unpack_from("<I", data, place)[0] == vector
    )
    # Until the data comes, the weights would be too short for their shape.
    data[pointer : pointer + 4] = struct.pack("<I", end - pointer)
    return extended(path, bytes(data) + struct.pack("<I", SIZE), SIZE)


def onnx(path: Path) -> Path:
    """An .onnx with an initializer of SIZE bytes."""
    tensor = field(8, b"w") + field(1, varint(SIZE)) + b"\x10\x03\x4a" + varint(SIZE)
    node = field(1, field(1, b"w") + field(2, b"y") + field(4, b"Neg"))
    graph_ = node + field(12, field(1, b"y")) + b"\x2a" + varint(len(tensor) + SIZE) + tensor
    model = field(8, b"\x10\x11") + b"\x3a" + varint(len(graph_) + SIZE) + graph_
    return extended(path, model, SIZE)


FORMATS = {"tflite": tflite, "onnx": onnx}


@pytest.mark.parametrize("format_", FORMATS)
def test_a_model_of_half_a_gigabyte_takes_a_second_and_little_memory(
    tmp_path: Path, format_: str
) -> None:
    found = alone(FORMATS[format_](tmp_path / f"large.{format_}"))
    assert (found.message, found.seconds < 1, found.megabytes < 60) == ("", True, True), found


@pytest.mark.parametrize("format_", FORMATS)
def test_constants_of_a_mapped_model_have_their_bytes(tmp_path: Path, format_: str) -> None:
    found = graph.read(FORMATS[format_](tmp_path / f"large.{format_}"))
    constants = [t for t in found.tensors if t.data is not None and len(t.data) == SIZE]
    assert len(constants) == 1
    assert constants[0].data is not None
    assert bytes(constants[0].data[-len(END) :]) == END
    assert found.size > SIZE


def test_constants_beyond_four_gigabytes_are_found(tmp_path: Path) -> None:
    value, far = tfl.small_cnn(), 5 << 30
    value.subgraphs[0].tensors[6] = tfl.tensor("weights", [8], "INT8", buffer=4)
    value.buffers[4] = tfl.schema.BufferT(data=None, offset=far, size=8)
    data = tfl.pack(value)
    path = extended(tmp_path / "far.tflite", data, far + 8 - len(data))
    weights = graph.read(path).tensors[6]
    assert weights.data is not None
    assert bytes(weights.data) == END


def test_external_data_of_five_gigabytes_is_not_read(tmp_path: Path) -> None:
    extended(tmp_path / "w.bin", b"", 5 << 30)
    entries = [("location", "w.bin"), ("offset", str((5 << 30) - 8)), ("length", "8")]
    pairs = b"".join(field(13, field(1, k.encode()) + field(2, v.encode())) for k, v in entries)
    tensor = field(8, b"w") + field(1, varint(8)) + b"\x10\x03\x70\x01" + pairs
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_with(field(5, tensor)))
    found = alone(path)
    assert (found.message, found.seconds < 1, found.megabytes < 60) == ("", True, True), found
    weights = graph.read(path).tensors[0]
    assert weights.data is not None
    assert bytes(weights.data) == END


def test_a_mapped_and_a_copied_file_are_read_alike(tmp_path: Path) -> None:
    small, large = tmp_path / "small.tflite", tmp_path / "large.tflite"
    small.write_bytes(tfl.pack(tfl.small_cnn()))
    large.write_bytes(small.read_bytes() + bytes(MAPPED))
    assert graph.read(small).subgraphs == graph.read(large).subgraphs


def test_where_nothing_can_be_mapped_the_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("this file system cannot map")

    path = tmp_path / "model.tflite"
    path.write_bytes(tfl.pack(tfl.small_cnn()) + bytes(MAPPED))
    mapped = graph.read(path)
    monkeypatch.setattr("mmap.mmap", refuse)
    assert graph.read(path) == mapped
