"""
The features of a graph are those of the published data, counted by others.

Expected: features.csv of the reference data, counted from the files that MLPerf
Tiny publishes; the same files are among the reference models.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.estimate.features import FEATURES, op_features, published, totals
from pytest_edgebudget.estimate.rows import SHIPPED, read_rows
from pytest_edgebudget.graph import read

MODELS = {
    "kws_dscnn/models/kws_int8.tflite": ("mlperf_tiny_kws", "int8"),
    "ic_resnet8/models/resnet8_int8.tflite": ("mlperf_tiny_ic", "int8"),
    "ic_resnet8/models/resnet8_float32.tflite": ("mlperf_tiny_ic", "fp32"),
    "ad_autoencoder/models/ad01_int8.tflite": ("mlperf_tiny_ad", "int8"),
    "ad_autoencoder/models/ad01_float32.tflite": ("mlperf_tiny_ad", "fp32"),
}


@pytest.mark.reference
@pytest.mark.parametrize("path", MODELS)
def test_a_published_file_has_the_published_features(reference_models: Path, path: str) -> None:
    rows = {(r["model"], r["precision"]): r for r in read_rows(SHIPPED / "features.csv")}
    found = totals(op_features(read(reference_models / path)))
    assert found == published(rows[MODELS[path]])
    assert set(found) == set(FEATURES)


@pytest.mark.reference
def test_the_same_network_as_qdq_onnx_has_the_same_arithmetic(reference_models: Path) -> None:
    # The export adds transposes, which the published .tflite does not have.
    onnx = totals(op_features(read(reference_models / "kws_dscnn/models/kws_qdq_int8.onnx")))
    rows = {(r["model"], r["precision"]): r for r in read_rows(SHIPPED / "features.csv")}
    expected = published(rows["mlperf_tiny_kws", "int8"])
    same = [name for name in FEATURES if name not in ("data_act_elems", "n_ops")]
    assert {name: onnx[name] for name in same} == {name: expected[name] for name in same}
