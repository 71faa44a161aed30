"""All rules of structure together: sound models, published models, damaged and large ones."""

from __future__ import annotations

import random
import struct
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.lint.base import Finding, ModelFile, Rule, Severity
from pytest_edgebudget.lint.structure import RULES
from tests.graph import onnx_models as onnx
from tests.graph import tflite_models as tflite
from tests.lint.structure import edits


def lint(path: Path) -> list[tuple[Rule, Finding]]:
    """What all rules of the family find in a model."""
    model = ModelFile(path, graph.read(path))
    rules = [rule for rule in RULES if model.graph.format in rule.formats]
    return [(rule, finding) for rule in rules for finding in rule.check(model)]


def codes(path: Path) -> dict[str, int]:
    """How many findings of each code, notes in lower case."""
    found: dict[str, int] = {}
    for rule, finding in lint(path):
        note = (finding.severity or rule.severity) is Severity.NOTE
        code = rule.code.lower() if note else rule.code
        found[code] = found.get(code, 0) + 1
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    """
    digits.tflite digits.onnx digits_int8.tflite mobilenet.tflite mobilenet.onnx
    mobilenet_int8.tflite residual.tflite residual.onnx residual_int8.tflite attention.tflite
    attention.onnx conv1d.tflite conv1d_open.tflite lstm.tflite lstm.onnx
    """.split(),  # noqa: SIM905
)
def test_ordinary_models_of_keras_have_notes_at_most(keras_models: Path, name: str) -> None:
    assert {code for code in codes(keras_models / name) if code.isupper()} == set()


# What each of these means was looked at by hand: the dense layer behind an open Flatten,
# names of a tenth of the file, normalizations that the exporter kept, zero points stored
# nine times.
PUBLISHED = {
    "ad_autoencoder/models/ad01_float32.tflite": {},
    "ad_autoencoder/models/ad01_int8.tflite": {},
    "ad_autoencoder/models/ad_alibaba_float.onnx": {"eb203": 5},
    "ad_autoencoder/models/ad_qdq_int8.onnx": {},
    "fsdd_trainable/models/baseline_float32.tflite": {"EB201": 1, "eb209": 1},
    "ic_resnet8/models/ic_alibaba_float.onnx": {"eb203": 1, "eb204": 1},
    "ic_resnet8/models/resnet8_float32.tflite": {},
    "ic_resnet8/models/resnet8_int8.tflite": {},
    "ic_resnet8/models/resnet8_large_float32.tflite": {},
    "ic_resnet8/models/resnet8_large_int8.tflite": {},
    "ic_resnet8/models/resnet8_qdq_int8.onnx": {},
    "kws_dscnn/models/kws_alibaba_float.onnx": {},
    "kws_dscnn/models/kws_dynrange.tflite": {"eb215": 1},
    "kws_dscnn/models/kws_float32.tflite": {},
    "kws_dscnn/models/kws_int8.tflite": {"eb215": 1},
    "kws_dscnn/models/kws_qdq_int8.onnx": {"EB205": 1, "eb215": 1},
    "mnist_cnn_onnx/models/mnist.onnx": {},
}


@pytest.mark.reference
def test_published_models_have_the_findings_that_were_looked_at(reference_models: Path) -> None:
    assert {name: codes(reference_models / name) for name in PUBLISHED} == PUBLISHED


def chain(kind: str, count: int) -> Any:
    """A .tflite of *count* ops in a row."""
    tensors = [tflite.tensor(f"t{i}", [1, 8]) for i in range(count + 1)]
    tensors.append(tflite.tensor("axes", [2], "INT32", 1))
    more = {"RELU": [], "ADD": [0], "RESHAPE": [count + 1], "TRANSPOSE": [count + 1]}[kind]
    ops = [tflite.op(0, [i, *more], [i + 1]) for i in range(count)]
    buffers = [tflite.buffer(), tflite.buffer(struct.pack("<2i", 1, 0))]
    return tflite.model([tflite.code(kind)], [tflite.subgraph(tensors, ops, [0], [count])], buffers)


@pytest.mark.parametrize("kind", ["RELU", "ADD", "RESHAPE", "TRANSPOSE"])
def test_long_models_take_time_in_proportion(tmp_path: Path, kind: str) -> None:
    path = edits.write(chain(kind, 4000), tmp_path / "long.tflite")
    start = time.process_time()
    lint(path)
    assert time.process_time() - start < 3  # about 0.4 s; quadratic rules would take a minute


def test_long_onnx_models_take_time_in_proportion(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(4001)]
    nodes = [onnx.helper.make_node("Relu", [a], [b]) for a, b in pairwise(names)]
    model = onnx.model(nodes, [onnx.value("c0", 1, 8)], [onnx.value(names[-1], 1, 8)], [])
    path = tmp_path / "long.onnx"
    path.write_bytes(model.SerializeToString())
    start = time.process_time()
    lint(path)
    assert time.process_time() - start < 3


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_no_rule_raises_on_a_damaged_model_that_can_be_read(tmp_path: Path, suffix: str) -> None:
    data = tflite.pack(tflite.small_cnn())
    if suffix == ".onnx":
        data = onnx.small_cnn().SerializeToString()
    path, numbers, read = tmp_path / f"damaged{suffix}", random.Random(0), 0
    for _ in range(600):
        damaged = bytearray(data)
        for _ in range(numbers.choice((1, 1, 2, 5))):
            damaged[numbers.randrange(len(damaged))] = numbers.choice((0, 1, 127, 128, 255))
        path.write_bytes(damaged)
        try:
            lint(path)
        except ModelError:
            continue
        read += 1
    assert read > 100
