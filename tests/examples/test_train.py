"""The training scripts of the examples write what the examples hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

np = pytest.importorskip("numpy", reason="the examples' data are numpy arrays")
pytest.importorskip("tensorflow", reason="the examples are trained with TensorFlow")
pytest.importorskip("sklearn", reason="the examples' data come with scikit-learn")

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
FORMATS = {".keras", ".tflite", ".onnx", ".npz"}


def shapes(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    with np.load(path, allow_pickle=False) as data:
        return {name: (array.shape, str(array.dtype)) for name, array in data.items()}


@pytest.mark.slow
@pytest.mark.parametrize("example", ["digits", "tumours", "diabetes"])
def test_training_anew_writes_the_files_of_the_example(example: str, tmp_path: Path) -> None:
    script = EXAMPLES / example / "train.py"
    child = subprocess.run(
        [sys.executable, script, "--out", tmp_path, "--epochs", "1"],
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert child.returncode == 0, child.stderr
    committed = {file.name for file in script.parent.iterdir() if file.suffix in FORMATS}
    written = {file.name: file for file in tmp_path.iterdir()}
    assert set(written) == committed
    assert shapes(written["data.npz"]) == shapes(script.parent / "data.npz")
    for name, file in written.items():
        size = (script.parent / name).stat().st_size
        assert file.stat().st_size == pytest.approx(size, rel=0.02), name


@pytest.mark.parametrize("example", ["digits", "tumours", "diabetes"])
def test_the_splits_of_an_example_share_no_sample(example: str) -> None:
    with np.load(EXAMPLES / example / "data.npz", allow_pickle=False) as data:
        arrays = [array for name, array in data.items() if name.startswith("x_")]
    rows = np.concatenate([array.reshape(len(array), -1) for array in arrays])
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_the_files_of_the_examples_are_small() -> None:
    sizes = {file: file.stat().st_size for file in EXAMPLES.rglob("*") if file.is_file()}
    assert {file: size for file, size in sizes.items() if size > 300_000} == {}
