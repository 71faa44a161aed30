"""Files that are no models cost a sentence, never a traceback, a hang or a crash."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tflite_models as tfl

from pytest_edgebudget import graph
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.graph.cost import bytes_by_layer, layer_costs
from pytest_edgebudget.graph.memory import plan


def small_tflite() -> bytes:
    return tfl.pack(tfl.small_cnn())


def small_onnx() -> bytes:
    import onnx_models

    return onnx_models.small_cnn().SerializeToString()


FORMATS = {"tflite": small_tflite, "onnx": small_onnx}


def attempt(path: Path, data: bytes) -> None:
    """Read, count and plan; only ModelError may come out."""
    path.write_bytes(data)
    with contextlib.suppress(ModelError):
        found = graph.read(path)
        layer_costs(found)
        bytes_by_layer(found)
        for runtime in {"tflite": ("tflm", "litert"), "onnx": ("onnxruntime",)}[found.format]:
            plan(found, runtime)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_cut_at_any_byte_is_read_or_refused(tmp_path: Path, format_: str) -> None:
    data = FORMATS[format_]()
    for end in range(len(data)):
        attempt(tmp_path / f"cut.{format_}", data[:end])


def flips(data: bytes, rounds: int, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for _ in range(rounds):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 1, 1, 2, 8, 64))):
            damaged[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, 0x40))
        yield bytes(damaged)


@pytest.mark.parametrize("format_", FORMATS)
def test_flipped_bytes_are_read_or_refused(tmp_path: Path, format_: str) -> None:
    structure = FORMATS[format_]()
    for damaged in flips(structure, rounds=3000, seed=1):
        attempt(tmp_path / f"flipped.{format_}", damaged)


@pytest.mark.reference
def test_flipped_bytes_of_real_models_are_read_or_refused(
    reference_models: Path, tmp_path: Path
) -> None:
    for source in sorted(reference_models.glob("kws*/models/kws_*int8.*")):
        for damaged in flips(source.read_bytes(), rounds=150, seed=2):
            attempt(tmp_path / f"flipped{source.suffix}", damaged)


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_noise_is_refused(tmp_path: Path, suffix: str) -> None:
    chance = random.Random(3)
    for length in range(1, 400):
        attempt(tmp_path / f"noise{suffix}", chance.randbytes(length))


class Shared(tfl.schema.OperatorT):  # type: ignore[misc,name-defined]
    """An op that is written once, however often it is listed."""

    offset = 0

    def Pack(self, builder: Any) -> int:  # noqa: N802
        self.offset = self.offset or super().Pack(builder)
        return self.offset


def test_many_offsets_to_one_long_vector_are_refused(tmp_path: Path) -> None:
    value, op = tfl.small_cnn(), Shared()
    op.opcodeIndex, op.inputs, op.outputs = 1, [3] * 20_000, [5]
    value.subgraphs[0].operators = [op] * 20_000  # 400 million inputs in 160 kB
    path = tmp_path / "shared.tflite"
    path.write_bytes(tfl.pack(value))
    assert "more elements than the file can hold" in refused(path).message


def calling(count: int, target: Callable[[int], int]) -> Any:
    """A model of *count* subgraphs, each of which calls *target* of its number."""
    value = tfl.small_cnn()
    value.operatorCodes = [tfl.code("CALL")]
    value.subgraphs = []
    for number in range(count):
        options = tfl.schema.CallOptionsT()
        options.subgraph = target(number)
        ops = [tfl.op(0, [0], [0], options)]
        value.subgraphs.append(tfl.subgraph([tfl.tensor("x", [1])], ops, [0], [0]))
    return value


@pytest.mark.parametrize(
    ("count", "target", "message"),
    [
        (1, lambda number: number, "subgraph 0 runs itself"),
        (3, lambda number: (number + 1) % 3, "subgraph 0 runs itself"),
        (2, lambda _: 7, "an op runs subgraph 7 of 2"),
        (3001, lambda number: number + 1, "call each other more than 32 deep"),
    ],
    ids=["itself", "in a ring", "not there", "a long chain"],
)
def test_calls_that_never_end_are_refused(
    tmp_path: Path, count: int, target: Callable[[int], int], message: str
) -> None:
    path = tmp_path / "calls.tflite"
    path.write_bytes(tfl.pack(calling(count, target)))
    assert message in refused(path).message


def test_a_loop_whose_body_is_itself_is_refused(tmp_path: Path) -> None:
    value = calling(2, lambda _: 1)
    options = tfl.schema.WhileOptionsT()
    options.condSubgraphIndex = options.bodySubgraphIndex = 1
    value.operatorCodes = [tfl.code("WHILE")]
    for sub in value.subgraphs:
        sub.operators = [tfl.op(0, [0], [0], options)]
    path = tmp_path / "loop.tflite"
    path.write_bytes(tfl.pack(value))
    assert "subgraph 1 runs itself" in refused(path).message


def test_ops_that_use_what_a_later_op_makes_are_refused(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.subgraphs[0].operators.reverse()
    path = tmp_path / "reversed.tflite"
    path.write_bytes(tfl.pack(value))
    assert "op 0 uses tensor 5 ('flat'), which only op 1 makes" in refused(path).message


@pytest.mark.parametrize("shape", [[2**31 - 1] * 3, [2**31 - 1] * 64, [2**16] * 4])
def test_shapes_that_no_memory_holds_are_refused(tmp_path: Path, shape: list[int]) -> None:
    value = tfl.small_cnn()
    value.subgraphs[0].tensors[3].shape = shape
    path = tmp_path / "huge.tflite"
    path.write_bytes(tfl.pack(value))
    assert "a tensor of shape (" in refused(path).message


def test_huge_shapes_of_onnx_are_refused(tmp_path: Path) -> None:
    import onnx_models as om

    proto = om.small_cnn()
    proto.graph.input[0].CopyFrom(om.value("x", *[2**62] * 4))
    path = tmp_path / "huge.onnx"
    path.write_bytes(proto.SerializeToString())
    assert "a tensor of shape (" in refused(path).message


def test_a_shape_of_too_many_dimensions_is_refused(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.subgraphs[0].tensors[3].shape = [1] * 65
    path = tmp_path / "rank.tflite"
    path.write_bytes(tfl.pack(value))
    assert "not a usable model: shape (1, 1, 1" in refused(path).message


def test_scales_that_are_no_numbers_are_kept_for_those_who_ask(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    nan, infinity = float("nan"), float("inf")
    value.subgraphs[0].tensors[0].quantization = tfl.quantization([nan, infinity, -1.0], [0] * 3)
    path = tmp_path / "nan.tflite"
    path.write_bytes(tfl.pack(value))
    found = graph.read(path)
    layer_costs(found)
    quantization = found.tensors[0].quantization
    assert quantization is not None
    assert [str(scale) for scale in quantization.scales] == ["nan", "inf", "-1.0"]


def test_strings_have_no_fixed_size(tmp_path: Path) -> None:
    value = tfl.small_cnn()
    value.subgraphs[0].tensors[0].type = tfl.schema.TensorType.STRING
    path = tmp_path / "string.tflite"
    path.write_bytes(tfl.pack(value))
    found = graph.read(path)
    layer_costs(found)
    assert found.tensors[0].dtype == "string"


def test_names_from_the_file_are_shortened_and_quoted_in_errors(tmp_path: Path) -> None:
    import onnx_models as om

    proto = om.small_cnn()
    proto.graph.node[1].input[0] = "\x1b[31m" + "long" * 1000
    path = tmp_path / "name.onnx"
    path.write_bytes(proto.SerializeToString())
    assert "value '\\x1b[31mlonglong" in refused(path).message
    assert len(refused(path).message) < 300


def test_shapes_that_grow_without_end_are_unknown(tmp_path: Path) -> None:
    import onnx_models as om

    names = [f"v{number}" for number in range(2000)]
    nodes = [
        om.helper.make_node("Mul", [before, before], [after]) for before, after in pairwise(names)
    ]  # squared 2,000 times, the number would have 2^2000 digits
    nodes.append(om.helper.make_node("ConstantOfShape", [names[-1]], ["y"]))
    outputs = [om.helper.make_empty_tensor_value_info("y")]
    proto = om.model(nodes, [], outputs, [om.integers("v0", 9, 9)])
    attempt(tmp_path / "squares.onnx", proto.SerializeToString())


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_pipe_is_refused_not_waited_for(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"pipe{suffix}"
    os.mkfifo(path)
    assert "cannot be read (not a file)" in refused(path).message


# --- sentences ----------------------------------------------------------------------


def refused(path: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        graph.read(path)
    return caught.value


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path / "absent.tflite")
    assert error.message.endswith("absent.tflite: cannot be read (No such file or directory)")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "a folder, where a .tflite or .onnx file is meant" in refused(tmp_path).message


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b"", "the file is empty", "export the model again"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
            "a Git LFS pointer, not the model itself",
            "git lfs pull",
        ),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file (a Keras .h5)", "exported to .tflite"),
        (b"PK\x03\x04" + bytes(99), "a zip archive", "exported to .tflite"),
        (b"<!DOCTYPE html><html>", "a web page", ""),
    ],
)
@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_other_files_are_called_what_they_are(
    tmp_path: Path, suffix: str, content: bytes, message: str, hint: str
) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    error = refused(path)
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize("suffix", [".tflite", ".onnx", ".txt"])
@pytest.mark.parametrize("content", ["hello, this is text", "{}", "\n\n\n", "ir_version: 8\n"])
def test_text_is_called_text(tmp_path: Path, suffix: str, content: str) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_text(content)
    assert "this is text, not a .tflite or .onnx model" in refused(path).message


def test_bytes_named_tflite_are_not_a_model(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(bytes(100))
    assert 'not a TensorFlow Lite model: "TFL3" is not there at byte 4' in refused(path).message


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(bytes(100))
    assert "neither a .tflite nor an .onnx model" in refused(path).message


@pytest.mark.parametrize("make", FORMATS.values(), ids=FORMATS)
def test_the_error_says_what_is_wrong_and_where(
    tmp_path: Path, make: Callable[[], bytes], request: pytest.FixtureRequest
) -> None:
    suffix = "onnx" if make is small_onnx else "tflite"
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(make()[:600])
    error = refused(path)
    assert "not a usable model" in error.message
    assert "at byte" in error.message
    assert "truncated or damaged" in error.hint
