"""What TensorFlow Lite Micro keeps beside its plan is estimated within the stated error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tflite_models as fb
from static_builder import File, Net
from static_control import MODELS
from static_models import random_graph
from static_ops import ONE_OP
from tflm_runtime import head_and_tail

from pytest_edgebudget import graph
from pytest_edgebudget.graph.arena import Band
from pytest_edgebudget.graph.memory import plan

STATED = 0.035


def kept(folder: Path, content: bytes) -> Band:
    path = folder / "model.tflite"
    path.write_bytes(content)
    band = plan(graph.read(path), "tflm").persistent
    assert band is not None
    return band


def assert_within(band: Band, tail: int, share: float) -> None:
    assert band.low <= tail <= band.high
    assert abs(band.value / tail - 1) < share


@pytest.mark.parametrize("name", [*MODELS, *ONE_OP])
def test_graphs_that_were_measured_are_within_the_stated_error(tmp_path: Path, name: str) -> None:
    content = (MODELS.get(name) or ONE_OP[name])()
    assert_within(kept(tmp_path, content), head_and_tail(content)[1], STATED)


@pytest.mark.parametrize("seed", range(100, 112))
def test_random_graphs_that_were_not_measured_are_within_a_percent(
    tmp_path: Path, seed: int
) -> None:
    content = random_graph(seed, 10 * (seed - 98))
    assert_within(kept(tmp_path, content), head_and_tail(content)[1], 0.01)


def _gate(net: Net, x: int, units: int, channels: int, kind: str) -> int:
    """A matrix whose rows have a scale each, as TensorFlow's converter writes it, and a function."""
    weights = net.weights([units, net.shape(x)[-1]], channels=channels)
    inputs = [x, weights, net.bias(units)]
    y = net.op("FULLY_CONNECTED", inputs, [1, units], options=fb.schema.FullyConnectedOptionsT(),
               version=5)  # fmt: skip
    return net.same(kind, y)


def unrolled(steps: int, units: int, channels: int, dtype: str = "INT8") -> bytes:
    """A recurrent network, its steps one after the other: four gates each."""
    net = (file := File(7)).graph(dtype)
    state = net.input([1, units])
    cell = net.input([1, units])
    for _ in range(steps):
        opened, new, forgot, out = (
            _gate(net, state, units, channels, kind)
            for kind in ("LOGISTIC", "TANH", "LOGISTIC", "LOGISTIC")
        )
        cell = net.add(net.mul(forgot, cell), net.mul(opened, new))
        state = net.mul(out, net.same("TANH", cell))
    net.outputs = [state]
    return file.pack()


@pytest.mark.parametrize("channels", [1, 24])
@pytest.mark.parametrize("steps", [1, 6, 12])
def test_unrolled_recurrent_networks_are_within_a_percent(
    tmp_path: Path, steps: int, channels: int
) -> None:
    content = unrolled(steps, 24, channels)
    assert_within(kept(tmp_path, content), head_and_tail(content)[1], 0.02 if steps == 1 else 0.01)


def test_scales_of_rows_are_kept_for_each_row(tmp_path: Path) -> None:
    apart, together = (unrolled(6, 24, channels) for channels in (24, 1))
    more = head_and_tail(apart)[1] - head_and_tail(together)[1]
    assert kept(tmp_path, apart).value - kept(tmp_path, together).value == more


def test_an_op_that_was_not_measured_widens_the_band(tmp_path: Path) -> None:
    def model(kind: str) -> bytes:
        main = fb.subgraph(
            [fb.tensor("x", [4]), fb.tensor("y", [4])], [fb.op(0, [0], [1])], [0], [1]
        )
        return fb.pack(fb.model([fb.code(kind)], [main], [fb.buffer()]))

    known, unknown = (kept(tmp_path, model(kind)) for kind in ("RELU", "GELU"))
    assert unknown.high - unknown.low > known.high - known.low + 600


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the runtime is tried in forks")
def test_the_smallest_arena_is_estimated_within_its_stated_error(tmp_path: Path) -> None:
    names = [
        "chain_int8",
        "residual_int8",
        "unrolled_float32",
        "lstm_int8",
        "loop",
        "attention_int8",
    ]
    made = {name: MODELS[name]() for name in names}
    made |= {"gates": unrolled(12, 24, 24), "one_scale": unrolled(12, 24, 1)}
    paths = [tmp_path / f"{name}.tflite" for name in made]
    for path in paths:
        path.write_bytes(made[path.stem])
    script = Path(__file__).with_name("tflm_runtime.py")
    done = subprocess.run([sys.executable, script, *paths], check=True, capture_output=True,
                          text=True, timeout=120)  # fmt: skip
    smallest = [int(line) for line in done.stdout.split()]
    bands = [plan(graph.read(path), "tflm").arena for path in paths]
    assert len(smallest) == len(made)
    assert all(b and b.low <= s <= b.high for b, s in zip(bands, smallest, strict=True))
    assert all(b and abs(b.value / s - 1) < 0.03 for b, s in zip(bands, smallest, strict=True))
