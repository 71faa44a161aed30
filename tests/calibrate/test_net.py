"""What is written without a framework, LiteRT loads and runs, and our reader reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.calibrate.design import PRECISIONS, micro_models
from pytest_edgebudget.calibrate.net import Net
from pytest_edgebudget.calibrate.solve import non_negative
from pytest_edgebudget.calibrate.wholes import whole_models
from pytest_edgebudget.estimate.precision import precision_of
from pytest_edgebudget.graph import read
from pytest_edgebudget.graph.cost import layer_costs

interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="needs the extra litert")


def run(net: Net) -> np.ndarray:
    model = interpreter.Interpreter(model_content=net.tflite(), num_threads=1)
    model.allocate_tensors()
    entry = model.get_input_details()[0]
    model.set_tensor(entry["index"], np.ones(entry["shape"], entry["dtype"]))
    model.invoke()
    return model.get_tensor(model.get_output_details()[0]["index"])


def saved(net: Net, folder: Path) -> Path:
    path = folder / "net.tflite"
    path.write_bytes(net.tflite())
    return path


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_whole_model_runs_and_is_of_its_precision(precision: str, tmp_path: Path) -> None:
    for name, build in whole_models(precision).items():
        net = build()
        assert run(net).shape == net.here, name
        assert precision_of(read(saved(net, tmp_path))) == precision, name


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_micro_model_loads_with_the_shape_that_was_meant(precision: str) -> None:
    found = list(micro_models(precision).items())
    plain = [(name, build) for name, build in found if name.partition(" ")[0].isupper()]
    for name, build in [*found[::5], *plain]:
        net = build()
        assert run(net).shape == net.here, name


BUILDERS: dict[str, Callable[[Net], object]] = {
    "CONV_2D": lambda net: net.conv(5, (3, 3), 2),
    "DEPTHWISE_CONV_2D": lambda net: net.depthwise((3, 3), 1, 2),
    "TRANSPOSE_CONV": lambda net: net.up(4),
    "FULLY_CONNECTED": lambda net: net.flat().dense(7),
}


@pytest.mark.parametrize("kind", BUILDERS)
def test_multiply_accumulates_are_those_of_the_layer(kind: str, tmp_path: Path) -> None:
    net = Net((1, 8, 8, 3), "int8")
    BUILDERS[kind](net)
    last = layer_costs(read(saved(net, tmp_path)))[-1]
    assert (last.kind, last.macs) == (
        kind,
        # By hand: pixels x filters x weights of a filter.
        {
            "CONV_2D": 16 * 5 * 27,
            "DEPTHWISE_CONV_2D": 64 * 6 * 9,
            "TRANSPOSE_CONV": 64 * 4 * 4 * 3,
            "FULLY_CONNECTED": 7 * 192,
        }[kind],
    )


def test_the_fit_is_that_of_scipy() -> None:
    optimize = pytest.importorskip("scipy.optimize", reason="pip install scipy")
    random = np.random.default_rng(1)
    for _ in range(50):
        columns = np.abs(random.standard_normal((20, 8))) * 10 ** random.uniform(-3, 3, 8)
        target = columns @ (random.random(8) * (random.random(8) > 0.5))
        target = target + random.standard_normal(20) * 0.1
        error, factors = non_negative(columns, target)
        theirs = optimize.nnls(columns, target)[1] ** 2
        assert (factors >= 0).all()
        assert error == pytest.approx(theirs, rel=1e-3, abs=1e-6)
