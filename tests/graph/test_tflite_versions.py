"""The versions that ops need are those that TensorFlow's converter writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.graph.ir import Graph, Op, Quantization, Tensor
from pytest_edgebudget.graph.tflite_versions import needed_version, needed_versions

SCRIPT = Path(__file__).parent / "tf_versions.py"
DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"


def quantized(folder: Path) -> list[Path]:
    """The digits model by litert-quantizer, which writes version 1 everywhere."""
    module = pytest.importorskip("litert_quantizer.quantizer", reason="no litert-quantizer")
    everything = pytest.importorskip("litert_quantizer.qtyping").TFLOperationName.ALL_SUPPORTED
    paths = []
    for name in ("add_dynamic_config", "add_weight_only_config"):
        work = module.Quantizer(str(DIGITS))
        getattr(work, name)(".*", everything, 8)
        paths.append(folder / f"{name}.tflite")
        options = {"enable_progress_bar": False, "enable_progress_report": False}
        paths[-1].write_bytes(bytes(work.quantize(None, **options).quantized_model))
    return paths


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Files of litert-quantizer, and what TensorFlow writes: those again, and its own."""
    pytest.importorskip("tensorflow", reason="pip install 'pytest-edgebudget[tensorflow]'")
    before, after = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("after")
    command = [sys.executable, str(SCRIPT), str(after), *map(str, quantized(before))]
    subprocess.run(command, check=True, capture_output=True)
    return before, after


def needed(model: Graph) -> dict[str, int]:
    """An op code has the highest version that one of its ops needs."""
    found: dict[str, int] = {}
    for subgraph in model.subgraphs:
        for op, version in zip(subgraph.ops, needed_versions(subgraph), strict=True):
            found[op.kind] = max(version, found.get(op.kind, 0))
    return found


def written(model: Graph) -> dict[str, int]:
    return {op.kind: op.version for subgraph in model.subgraphs for op in subgraph.ops}


@pytest.mark.slow
def test_needed_versions_are_those_that_tensorflow_writes(folders: tuple[Path, Path]) -> None:
    paths = sorted(folders[1].glob("*_*.tflite"))
    assert len(paths) == 17
    kinds: set[str] = set()
    for path in paths:
        model = graph.read(path)
        assert needed(model) == written(model), path.name
        kinds |= written(model).keys()
    assert len(kinds) == 28


@pytest.mark.slow
def test_files_of_litert_quantizer_need_what_tensorflow_writes_into_them(
    folders: tuple[Path, Path],
) -> None:
    for path in folders[0].iterdir():
        model = graph.read(path)
        assert set(written(model).values()) == {1}
        again = written(graph.read(folders[1] / path.name))
        assert needed(model) == again
        assert again["FULLY_CONNECTED"] > 1 or again["DEQUANTIZE"] > 1


def dense(weights: str, output: str = "float32", **options: object) -> int:
    scales = Quantization((0.1,) * 4, (0,) * 4, 0)
    tensors = (
        Tensor("x", output, (1, 8)),
        Tensor("w", weights, (4, 8), memoryview(bytes(32)), scales),
        Tensor("y", output, (1, 4)),
    )
    return needed_version(Op("FULLY_CONNECTED", "y", (0, 1, -1), (2,), options), tensors)


def test_float_activations_with_tiny_weights_need_a_version_that_old_runtimes_refuse() -> None:
    # tflite-runtime 2.14 knows FULLY_CONNECTED up to 10 (lint/runtimes/known.py)
    assert dense("int4") == 12
    assert dense("int2") == 14
    assert dense("float32") == 1


def test_biases_of_64_bits_need_no_version_of_their_own() -> None:
    assert dense("int8", "int16", quantized_bias_type="INT64") == 1
    assert dense("int8", "int16", quantized_bias_type="INT32") == 11


def test_a_custom_op_of_a_known_name_needs_version_1() -> None:
    op = Op("CONV_2D", "y", (0, 1), (2,), custom=True)
    assert needed_version(op, (Tensor("x", "int8", (1, 2)),) * 3) == 1


def test_real_models_need_no_higher_versions_than_they_have(reference_models: Path) -> None:
    paths = sorted(reference_models.rglob("*.tflite"))
    assert paths
    for path in paths:
        model = graph.read(path)
        has = written(model)
        assert {kind for kind, version in needed(model).items() if version > has[kind]} == set()
