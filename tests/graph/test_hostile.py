"""Whatever a file claims, reading it takes a second and 200 MB at most."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tflite_models as tfl

pytest.importorskip("resource", reason="the resource module is not there")
from alone import alone

GIGABYTES = 3 << 30


def sparse(path: Path, data: bytes) -> None:
    """A file of 3 GB that takes no room on the disk: *data*, then zeros."""
    path.write_bytes(data)
    os.truncate(path, GIGABYTES)


def varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def field(number: int, data: bytes) -> bytes:
    """A field of bytes, as protobuf writes it."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def onnx_with(graph: bytes) -> bytes:
    """A ModelProto of operator set 17 with the fields of *graph* in its GraphProto."""
    return field(7, graph) + field(8, b"\x10\x11")


def initializer(shape: int, dtype: int, data: bytes) -> bytes:
    """An initializer of one dimension in a GraphProto."""
    return field(5, field(1, varint(shape)) + b"\x10" + varint(dtype) + data)


def small_onnx() -> bytes:
    import onnx_models

    return onnx_models.small_cnn().SerializeToString()


def long_scales() -> bytes:
    """A .tflite whose vector of scales claims half a billion numbers."""
    value = tfl.small_cnn()
    value.subgraphs[0].tensors[6].quantization = tfl.quantization([0.7] * 7, [0] * 7)
    data = bytearray(tfl.pack(value))
    place = data.index(struct.pack("<I7f", 7, *[0.7] * 7))
    data[place : place + 4] = struct.pack("<I", 1 << 29)
    return bytes(data)


SPARSE: dict[str, tuple[Callable[[], bytes], str]] = {
    "zeros.tflite": (lambda: b"", "not a TensorFlow Lite model"),
    "zeros.onnx": (lambda: b"", "field number 0 at byte 1"),
    "after-a-model.onnx": (small_onnx, "field number 0 at byte 1,"),
    "half-a-billion-scales.tflite": (long_scales, "more elements than the file can hold"),
}


@pytest.mark.parametrize("name", SPARSE)
def test_a_sparse_file_of_three_gigabytes_is_refused_at_once(tmp_path: Path, name: str) -> None:
    make, message = SPARSE[name]
    sparse(tmp_path / name, make())
    found = alone(tmp_path / name)
    assert message in found.message
    assert (found.seconds < 1, found.megabytes < 200) == (True, True), found


def test_zeros_behind_a_tflite_model_are_no_matter(tmp_path: Path) -> None:
    sparse(tmp_path / "model.tflite", tfl.pack(tfl.small_cnn()))
    found = alone(tmp_path / "model.tflite")
    assert (found.message, found.seconds < 1, found.megabytes < 200) == ("", True, True), found


def quantized(count: int) -> bytes:
    """An .onnx of *count* constants that are scales, each a million of the external file's."""
    place = b"".join(
        field(13, field(1, key) + field(2, text)) for key, text in
        ((b"location", b"w.bin"), (b"length", b"4000000"))
    )  # fmt: skip
    graph = b""
    for number in range(count):
        name = b"s%d" % number
        offset = field(13, field(1, b"offset") + field(2, b"%d" % (number * 4_000_000)))
        graph += field(
            5,
            field(1, varint(1_000_000))
            + b"\x10\x01"
            + field(8, name)
            + b"\x70\x01"
            + place
            + offset,
        )
        names = field(1, b"x") + field(1, name) + field(2, b"q%d" % number)
        graph += field(1, names + field(4, b"QuantizeLinear"))
    return onnx_with(field(11, field(1, b"x")) + graph)


def test_a_sparse_file_of_scales_is_refused_in_time(tmp_path: Path) -> None:
    sparse(tmp_path / "w.bin", b"")
    (tmp_path / "scales.onnx").write_bytes(quantized(100))
    found = alone(tmp_path / "scales.onnx")
    assert "more than 2,000,000 scales and zero points" in found.message
    assert (found.seconds < 1, found.megabytes < 200) == (True, True), found


class Once(tfl.schema.TensorT):  # type: ignore[misc,name-defined]
    """A tensor that is written once, however often it is listed."""

    offset = 0

    def Pack(self, builder: Any) -> int:  # noqa: N802
        self.offset = self.offset or super().Pack(builder)
        return self.offset


def many_tensors() -> bytes:
    value = tfl.small_cnn()
    value.subgraphs[0].tensors += [Once()] * 300_000
    return tfl.pack(value)


def many_scales() -> bytes:
    value, count = tfl.small_cnn(), 3_000_000
    scales = [0.7 + number for number in range(count)]
    value.subgraphs[0].tensors[6].quantization = tfl.quantization(scales, range(count))
    return tfl.pack(value)


CLAIMS: dict[str, tuple[Callable[[], bytes], str]] = {
    "tables.tflite": (many_tensors, "more tables than the file can hold"),
    "scales.tflite": (many_scales, "more elements than the file can hold"),
    "fields.onnx": (lambda: onnx_with(b"\x08\x01" * 10_000_000), "more than 600,000 fields"),
    "nodes.onnx": (lambda: onnx_with(field(1, b"") * 10_000_000), "more than 600,000 fields"),
    "names.onnx": (
        lambda: onnx_with(b"".join(field(11, field(1, b"%030d" % i)) for i in range(500_000))),
        "more than 600,000 fields",
    ),
    "name.onnx": (lambda: onnx_with(field(2, bytes(100_000_000))), "bytes of text"),
    "dimensions.onnx": (
        lambda: onnx_with(field(5, field(1, b"\x01" * 50_000_000))), "more than 600,000 numbers",
    ),
    "integers.onnx": (
        lambda: onnx_with(initializer(50_000_000, 7, field(7, b"\x01" * 50_000_000))),
        "bytes of constants outside raw_data",
    ),
    "floats.onnx": (
        lambda: onnx_with(initializer(20_000_000, 1, field(4, bytes(40_000_000)) * 2)),
        "bytes of constants outside raw_data",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_a_file_that_claims_too_much_is_refused_in_time(tmp_path: Path, name: str) -> None:
    make, message = CLAIMS[name]
    (tmp_path / name).write_bytes(make())
    found = alone(tmp_path / name)
    assert message in found.message
    assert (found.seconds < 1, found.megabytes < 200) == (True, True), found


def test_the_largest_constants_in_typed_fields_are_read_in_time(tmp_path: Path) -> None:
    numbers = b"".join(varint(number) for number in range(2_500_000))  # 8 MB
    data = onnx_with(initializer(2_500_000, 7, field(7, numbers)))
    (tmp_path / "typed.onnx").write_bytes(data)
    found = alone(tmp_path / "typed.onnx")
    assert (found.message, found.seconds < 3, found.megabytes < 200) == ("", True, True), found
