"""size, download_size, macs and parameters: what is read from the file alone."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import FileFacts
from pytest_edgebudget.graph import Graph, ir
from pytest_edgebudget.metrics import download_size, macs, parameters, size
from pytest_edgebudget.metrics.base import STATIC, Metric
from pytest_edgebudget.types import Better, Unit

ROOT = Path(__file__).parent.parent.parent
DIGITS = ROOT / "examples" / "digits"
METRICS = (size.METRIC, download_size.METRIC, macs.METRIC, parameters.METRIC)


def two_files(folder: Path) -> FileFacts:
    """A model with external data: text, which shrinks, and noise, which does not."""
    (folder / "model.onnx").write_bytes(b"weights " * 1000)
    (folder / "model.data").write_bytes(random.Random(0).randbytes(3_000_000))
    return FileFacts(folder / "model.onnx", 8000, (folder / "model.data",))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_static_metrics_are_exact_additive_and_documented(metric: Metric) -> None:
    assert metric.exact
    assert metric.additive
    assert not metric.noisy
    assert (metric.accepts, metric.better) == (STATIC, Better.LOWER)
    assert metric.unit in (Unit.BYTES, Unit.COUNT)
    assert "Unit: " in metric.doc


def test_size_is_the_files_length_with_external_data(tmp_path: Path) -> None:
    assert size.METRIC.read(two_files(tmp_path), {}).value == 3_008_000


def test_download_size_is_zlibs_at_level_nine(tmp_path: Path) -> None:
    facts = two_files(tmp_path)
    whole = facts.path.read_bytes() + facts.external[0].read_bytes()
    found = download_size.METRIC.read(facts, {}).value
    assert found == len(zlib.compress(whole, 9))
    assert 3_000_000 < found < 3_002_000


@pytest.mark.parametrize("metric", [size.METRIC, download_size.METRIC], ids=lambda m: m.name)
def test_a_file_that_is_gone_is_an_error_that_names_it(tmp_path: Path, metric: Metric) -> None:
    with pytest.raises(ModelError, match=r"gone\.tflite: cannot be read"):
        metric.read(FileFacts(tmp_path / "gone.tflite", 0), {})


@pytest.mark.parametrize("name", ["digits.tflite", "digits.onnx"])
def test_layers_add_up_to_the_value_and_come_largest_first(name: str) -> None:
    model = graph.read(DIGITS / name)
    for metric in (macs.METRIC, parameters.METRIC):
        value = metric.read(model, {})
        shares = [layer.value for layer in value.layers]
        assert sum(shares) == value.value > 0
        assert shares == sorted(shares, reverse=True)


def test_both_files_of_a_network_need_the_same_work() -> None:
    first, second = (graph.read(DIGITS / name) for name in ("digits.tflite", "digits.onnx"))
    assert macs.METRIC.read(first, {}).value == macs.METRIC.read(second, {}).value


def open_model(batch: int, steps: int) -> Graph:
    """x[batch, steps, 8] @ w[8, 3]; -1 is a dynamic dimension."""
    weights = ir.Tensor("w", "float32", (8, 3), memoryview(bytes(96)))
    x = ir.Tensor("x", "float32", (batch, steps, 8))
    y = ir.Tensor("y", "float32", (batch, steps, 3))
    op = ir.Op("MatMul", "product", (0, 1), (2,))
    return Graph("onnx", (ir.Subgraph("main", (x, weights, y), (op,), (0,), (2,)),), 200)


def test_the_note_says_when_the_batch_is_open() -> None:
    value = macs.METRIC.read(open_model(-1, 5), {})
    assert (value.value, value.note) == (5 * 8 * 3, "for a batch of one")


def test_the_note_says_when_the_value_is_a_lower_bound() -> None:
    value = macs.METRIC.read(open_model(1, -1), {})
    assert value.value == 0
    assert value.note == "at least: MatMul 'product' cannot be counted from the file"


def test_reading_a_model_loads_no_numpy_and_no_machine_learning_library() -> None:
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from pytest_edgebudget import graph\n"
        "from pytest_edgebudget.metrics import macs\n"
        "for path in sys.argv[1:]:\n"
        "    macs.METRIC.read(graph.read(Path(path)), {})\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    files = [str(DIGITS / name) for name in ("digits.tflite", "digits.onnx")]
    command = [sys.executable, "-c", program, *files]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, timeout=60)
    heavy = {"numpy", "flatbuffers", "onnx", "google", "ai_edge_litert", "tensorflow", "pytest"}
    assert not heavy & set(json.loads(done.stdout))
