"""Ranges of activations: chosen as published, kept bounded, and better where it matters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes._ranges import BINS, Spread, entropy, minmax, mse, percentile, spreads
from pytest_edgebudget.types import Step

from .conftest import DIGITS, PASSES, accuracy

pytestmark = pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")

MODELS = [DIGITS / "digits.tflite", DIGITS / "digits.onnx"]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda path: path.suffix[1:])

# Banner, Nahshan, Soudry, "Post training 4-bit quantization of convolutional networks for
# rapid-deployment" (2019): where 8 bits cut off, in units of Laplace's b and Gauss's sigma.
LAPLACE_8_BITS = 9.89
GAUSS_8_BITS = 3.92


def spread_of(values: np.ndarray, parts: int = 10) -> Spread:
    """As if the values had come in several samples."""
    return spreads(lambda: [{"x": part} for part in np.array_split(values, parts)])["x"]


def draw(kind: str, count: int = 500_000) -> np.ndarray:
    return getattr(np.random.default_rng(0), kind)(size=count).astype(np.float32)


def test_mse_cuts_off_where_it_was_published_to_be_best() -> None:
    laplace, gauss = spread_of(draw("laplace")), spread_of(draw("normal"))
    assert mse(laplace, 0) == pytest.approx((-LAPLACE_8_BITS, LAPLACE_8_BITS), rel=0.05)
    assert mse(gauss, 0) == pytest.approx((-GAUSS_8_BITS, GAUSS_8_BITS), rel=0.05)


def test_mse_takes_no_notice_of_zeros() -> None:
    """What a ReLU sets to zero is exact, whatever the steps are."""
    values = np.abs(draw("laplace"))
    with_zeros = np.concatenate([values, np.zeros(4 * len(values), np.float32)])
    assert mse(spread_of(with_zeros), 0) == pytest.approx(mse(spread_of(values), 0), rel=0.02)


def test_percentile_leaves_out_what_numpy_leaves_out() -> None:
    values = draw("laplace")
    found = percentile(spread_of(values), 99.0)
    assert found == pytest.approx(np.percentile(values, [0.5, 99.5]), abs=30 / BINS)


def test_entropy_leaves_out_the_one_value_that_is_far_away() -> None:
    """300 sigma away: kept by the squared error, and not worth its steps to the information."""
    values = np.append(draw("normal", 100_000), np.float32(300))
    low, high = entropy(spread_of(values), 0)
    assert low == pytest.approx(values.min(), abs=0.1)
    assert 4 < high < 30
    assert minmax(spread_of(values), 0) == (values.min(), 300)


def test_ranges_hold_zero_and_numbers_that_are_not_finite_count_for_nothing() -> None:
    values = np.array([2.0, 3.0, np.nan, np.inf], np.float32)
    assert minmax(spread_of(values, 2), 0) == (0.0, 3.0)
    nothing = spread_of(np.zeros(4, np.float32))
    assert [choose(nothing, 99.9) for choose in (minmax, percentile, mse, entropy)] == [(0, 0)] * 4


def quantized(run_pass, model: Path, data: np.ndarray, **options: object) -> Path:
    step = Step("int8", (), tuple(options.items()))
    path = run_pass("int8", model, step, name="_".join(map(str, options.values())), data=data)
    assert PASSES["int8"].check(graph.read(model), graph.read(path), step) == ""
    return path


@each_model
def test_outliers_are_cut_off_by_percentile_and_by_entropy(model: Path, run_pass, samples) -> None:
    """A hundredfold sample takes min-max its steps, and the others only itself."""
    loud = np.concatenate([samples["x_calibration"][:199], 100 * samples["x_calibration"][:1]])
    right = {
        method: accuracy(
            quantized(run_pass, model, loud, calibration=method, percentile=99.0),
            samples["x_test"],
            samples["y_test"],
        )
        for method in ("minmax", "percentile", "entropy")
    }
    assert right["percentile"] > right["minmax"] + 0.2
    assert right["entropy"] > right["minmax"] + 0.2


@each_model
def test_every_way_is_good_where_there_are_no_outliers(model: Path, run_pass, samples) -> None:
    data, test = samples["x_calibration"][:200], (samples["x_test"], samples["y_test"])
    for method in ("minmax", "percentile", "entropy", "mse"):
        path = quantized(run_pass, model, data, calibration=method)
        assert accuracy(path, *test) > accuracy(model, *test) - 0.02, method


def test_only_as_many_samples_count_as_are_asked_for(run_pass, samples) -> None:
    model, quiet = DIGITS / "digits.onnx", samples["x_calibration"][:8]
    loud = np.concatenate([quiet, 100 * quiet])
    first = quantized(run_pass, model, loud, samples=8).read_bytes()
    assert first == run_pass("int8", model, Step("int8"), data=quiet).read_bytes()
    with pytest.raises(BuildError, match="300 calibration samples are asked for, there are 16"):
        quantized(run_pass, model, loud, samples=300)


@each_model
def test_a_sample_that_is_not_finite_is_refused(model: Path, run_pass, samples) -> None:
    data = samples["x_calibration"][:20].astype(np.float32)
    data[3] = np.nan
    with pytest.raises(BuildError, match=r"1 of 20 calibration samples of .* hold NaN or infinity"):
        run_pass("int8", model, data=data)


def test_a_way_to_calibrate_is_refused_when_misspelt(run_pass) -> None:
    with pytest.raises(BuildError) as caught:
        run_pass("int8", DIGITS / "digits.onnx", Step("int8", (), (("calibration", "kl"),)))
    said = "int8(calibration=kl): calibration is one of usual, minmax, percentile, entropy, mse"
    assert str(caught.value) == said


def test_what_is_fused_away_is_not_asked_for(run_pass, tmp_path: Path, samples) -> None:
    """A batch normalization that onnxruntime makes part of the convolution before it."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    shapes = {"x": [1, 1, 8, 8], "conv": [1, 3, 8, 8], "norm": [1, 3, 8, 8], "y": [1, 3]}
    info = {k: helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in shapes.items()}
    draw = np.random.default_rng(0)
    constants = {"w": draw.normal(size=(3, 1, 3, 3)), **dict.fromkeys("sbm", np.zeros(3))}
    constants |= {"s": np.ones(3), "v": np.full(3, 2.0), "axes": np.array([2, 3])}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["conv", "s", "b", "m", "v"], ["norm"]),
        helper.make_node("ReduceMean", ["norm", "axes"], ["y"], keepdims=0),
    ]
    graph_of = helper.make_graph(
        nodes,
        "net",
        [info["x"]],
        [info["y"]],
        [
            numpy_helper.from_array(v.astype(np.int64 if k == "axes" else np.float32), k)
            for k, v in constants.items()
        ],
        value_info=[info["conv"], info["norm"]],
    )
    model = helper.make_model(graph_of, opset_imports=[helper.make_opsetid("", 18)])
    onnx.save(model, tmp_path / "net.onnx")
    path = quantized(
        run_pass, tmp_path / "net.onnx", samples["x_calibration"][:9], calibration="mse"
    )
    assert "BatchNormalization" not in {op.kind for op in graph.read(path).ops}
