"""Readings of a real model: evidence, keys, slices, what is missing, and the cache."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pytest_edgebudget.worker
from pytest_edgebudget.devices import Device, open_device, profile_named
from pytest_edgebudget.errors import DeviceError, ModelError
from pytest_edgebudget.facts import FileFacts, Predictions
from pytest_edgebudget.metrics import accuracy, cosine, latency, ram
from pytest_edgebudget.metrics.base import Metric, Options, Value
from pytest_edgebudget.store import Store
from pytest_edgebudget.testing import MockDevice
from pytest_edgebudget.types import Artifact, Better, DeviceChoice, Evidence, Unit
from tests.measure.help import artifact, data_file, read, wanted

pytest.importorskip("onnxruntime", reason="the runtime of these tests")
evaluator = pytest.importorskip("onnx.reference", reason="the second tool of these tests")

MODEL = Path(pytest_edgebudget.worker.__file__).parent / "warm.onnx"


@pytest.fixture
def model() -> Artifact:
    return artifact(MODEL)


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(5).standard_normal((40, 8, 8)).astype(np.float32)


@pytest.fixture
def y(x: np.ndarray) -> np.ndarray:
    """What onnx's own evaluator answers, with the first ten answers made wrong."""
    session = evaluator.ReferenceEvaluator(str(MODEL))
    answers = [session.run(None, {"x": row[None, None]})[0].argmax() for row in x]
    return np.array([(each + (i < 10)) % 3 for i, each in enumerate(answers)])


class Broken(MockDevice):
    """A device that must not be asked for a worker."""

    def worker(self, fmt: str) -> object:  # type: ignore[override]
        raise DeviceError("a worker was started")

    def identity(self, fmt: str) -> object:  # type: ignore[override]
        return self.real.identity(fmt)

    real: Device


def no_workers(host: Device) -> Broken:
    broken = Broken()
    broken.real = host
    return broken


def size(file: FileFacts, options: Options) -> Value:
    return Value(file.size)


SIZE = Metric(
    name="bytes",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=FileFacts,
    read=size,
    accepts=(Evidence.EXACT,),
    exact=True,
)


def test_accuracy_is_that_of_onnx_own_evaluator_with_key_and_evidence(
    model: Artifact, x: np.ndarray, y: np.ndarray, host: Device, store: Store, tmp_path: Path
) -> None:
    data = data_file(tmp_path / "data.npz", store, x_test=x, y_test=y)
    found = read(model, wanted(accuracy.METRIC, SIZE), host, store, data=data).readings
    assert found["accuracy"].value == 0.75
    assert found["accuracy"].evidence is Evidence.MEASURED
    key = dict(found["accuracy"].key)
    identity = host.identity("onnx")
    assert key.pop("cpu") == identity.cpu
    assert key == {
        "data": data.sha256[:12],
        "device": "host",
        "run": "host",
        "runtime": "onnxruntime",
        "split": "test",
        "state": "reset",
        "threads": "1",
        "version": identity.version,
    }
    exact = found["bytes"]
    assert (exact.value, exact.evidence, exact.key) == (model.size, Evidence.EXACT, ())


def test_on_a_board_predictions_are_stand_ins_and_latency_is_missing(
    model: Artifact, x: np.ndarray, y: np.ndarray, board: Device, store: Store, tmp_path: Path
) -> None:
    data = data_file(tmp_path / "data.npz", store, x_test=x, y_test=y)
    metrics = wanted(accuracy.METRIC, ram.METRIC, latency.METRIC)
    found = read(model, metrics, board, store, data=data)
    assert {name: it.evidence for name, it in found.readings.items()} == {
        "accuracy": Evidence.HOST,
        "ram": Evidence.HOST,
    }
    assert found.missing["latency"].reason.startswith("needs the device")


def test_a_slow_device_runs_the_samples_that_its_budget_allows(
    model: Artifact, x: np.ndarray, y: np.ndarray, store: Store, tmp_path: Path
) -> None:
    """The interval is as wide as so few samples make it."""
    data = data_file(tmp_path / "data.npz", store, x_test=x, y_test=y)
    profile = profile_named("host")
    whole, few = (
        open_device(DeviceChoice(profile=profile, run="host", samples=count))
        for count in (None, 20)
    )
    all_of_them = read(model, wanted(accuracy.METRIC), whole, store, data=data).readings["accuracy"]
    sample = read(model, wanted(accuracy.METRIC), few, store, data=data).readings["accuracy"]
    assert dict(sample.key)["first"] == "20"
    assert sample.high - sample.low > 1.2 * (all_of_them.high - all_of_them.low)


def test_a_first_look_is_spread_evenly_over_samples_that_may_be_sorted(
    model: Artifact, x: np.ndarray, y: np.ndarray, host: Device, store: Store, tmp_path: Path
) -> None:
    data = data_file(tmp_path / "data.npz", store, x_test=x, y_test=y)
    found = read(model, wanted(accuracy.METRIC), host, store, data=data, first=20)
    assert found.readings["accuracy"].value == 0.75  # 0.5 in the first half, 1 in the second
    assert dict(found.readings["accuracy"].key)["first"] == "20"


def test_the_worst_slice_is_read_and_named(
    model: Artifact, x: np.ndarray, y: np.ndarray, host: Device, store: Store, tmp_path: Path
) -> None:
    speaker = np.array(["ann"] * 20 + ["bob"] * 20)
    data = data_file(tmp_path / "d.npz", store, x_test=x, y_test=y, speaker_test=speaker)
    metrics = wanted(accuracy.METRIC) + wanted(accuracy.METRIC, slices="speaker")
    found = read(model, metrics, host, store, data=data).readings
    assert found["accuracy"].value == 0.75
    assert found["accuracy[speaker]"].value == 0.5
    assert found["accuracy[speaker]"].note == "speaker ann: 20 of 40 samples"


def test_what_the_data_lacks_is_missing_with_what_to_add(
    model: Artifact, x: np.ndarray, host: Device, store: Store, tmp_path: Path
) -> None:
    data = data_file(tmp_path / "data.npz", store, x_test=x)
    metrics = wanted(accuracy.METRIC) + wanted(cosine.METRIC, slices="speaker")
    found = read(model, metrics, host, store, data=data)
    assert "accuracy needs labels (y_test)" in found.missing["accuracy"].reason
    assert found.missing["cosine[speaker]"].reason == (
        "the data has no speaker_test to slice by; add speaker_test, one value a sample, "
        "to the data"
    )
    for none in (None, data):
        found = read(model, wanted(accuracy.METRIC), host, store, data=none, split="val")
        assert found.missing["accuracy"].reason == (
            "there is no x_val to run; add x_val to the model's data"
        )


def test_cosine_compares_with_the_source_model(
    model: Artifact, x: np.ndarray, host: Device, store: Store, tmp_path: Path
) -> None:
    data = data_file(tmp_path / "data.npz", store, x_test=x)
    elsewhere = tmp_path / "source.onnx"
    elsewhere.write_bytes(MODEL.read_bytes())
    source = replace(artifact(elsewhere), sha256="another")  # so that it is run, too
    found = read(model, wanted(cosine.METRIC), host, store, data=data, source=source)
    assert found.readings["cosine"].value == pytest.approx(1)


def test_data_that_do_not_fit_the_model_are_an_error_of_the_model(
    model: Artifact, host: Device, store: Store, tmp_path: Path
) -> None:
    data = data_file(tmp_path / "data.npz", store, x_test=np.zeros((3, 5), np.float32))
    with pytest.raises(ModelError, match=r"warm\.onnx: a sample of shape 5 does not fit"):
        read(model, wanted(cosine.METRIC), host, store, data=data)


def test_a_second_run_starts_no_worker_and_gives_the_same_reading(
    model: Artifact, x: np.ndarray, y: np.ndarray, host: Device, store: Store, tmp_path: Path
) -> None:
    data = data_file(tmp_path / "data.npz", store, x_test=x, y_test=y)
    first = read(model, wanted(accuracy.METRIC, SIZE), host, store, data=data)
    broken = no_workers(host)
    assert read(model, wanted(accuracy.METRIC, SIZE), broken, store, data=data) == first
    with pytest.raises(DeviceError, match="a worker was started"):
        read(model, wanted(accuracy.METRIC), broken, store, data=data, first=7)
    changed = data_file(tmp_path / "data.npz", store, x_test=x, y_test=y + 1)
    with pytest.raises(DeviceError, match="a worker was started"):
        read(model, wanted(accuracy.METRIC), broken, store, data=changed)


def test_a_metric_whose_code_may_hide_something_is_read_anew(
    model: Artifact, x: np.ndarray, host: Device, store: Store, tmp_path: Path
) -> None:
    data = data_file(tmp_path / "data.npz", store, x_test=x)
    answers = iter([1.0, 2.0])

    def closure(predictions: Predictions, options: Options) -> Value:
        return Value(next(answers))

    own = replace(cosine.METRIC, name="own", read=closure, compares=False)
    for expected in (1.0, 2.0):
        found = read(model, wanted(own), host, store, data=data)
        assert found.readings["own"].value == expected


def test_a_cached_reading_needs_neither_numpy_nor_a_runtime(
    model: Artifact, x: np.ndarray, y: np.ndarray, host: Device, store: Store, tmp_path: Path
) -> None:
    data = data_file(tmp_path / "data.npz", store, x_test=x, y_test=y)
    read(model, wanted(accuracy.METRIC), host, store, data=data)
    program = f"""
import sys
from pathlib import Path
from pytest_edgebudget.data import load_data
from pytest_edgebudget.devices import load_profile, open_device, profiles
from pytest_edgebudget.measure import Wanted, measure
from pytest_edgebudget.metrics import accuracy
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, DeviceChoice, Recipe, Step
folder = Path({str(tmp_path)!r})
store = Store(folder / "store", 1 << 28)
device = open_device(DeviceChoice(profile=load_profile(profiles()["host"]), run="host"))
metric = accuracy.METRIC
model = Artifact(recipe=Recipe((Step("none"),)), path=Path({str(MODEL)!r}),
                 sha256={model.sha256!r}, size={model.size})
found = measure(model, [Wanted("accuracy", metric, metric.defaults())], device=device,
                data=load_data(folder / "data.npz", root=folder, store=store), split="test",
                source=None, state="reset", store=store, root=folder)
heavy = {{"numpy", "onnxruntime", "onnx", "tensorflow", "ai_edge_litert"}} & set(sys.modules)
print(found.readings["accuracy"].value, sorted(heavy))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("0.75 []\n", "")
