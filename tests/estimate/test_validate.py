"""Fits and their validation on made-up rows, of which it is known what made them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping

import numpy as np
import pytest

from pytest_edgebudget.estimate.features import FEATURES
from pytest_edgebudget.estimate.fit import fit
from pytest_edgebudget.estimate.plain import plain_fits, weights
from pytest_edgebudget.estimate.pools import level_names
from pytest_edgebudget.estimate.predict import costs, milliseconds
from pytest_edgebudget.estimate.samples import Sample
from pytest_edgebudget.estimate.validate import leave_devices_out, offsets, quantile

SPEED = 1e-9
"""Milliseconds of a unit of work, on a device that is as fast as its core."""


def sample(device: str, model: int, milliseconds: float, x: np.ndarray, **other: str) -> Sample:
    row = {
        "device": device,
        "core": "Cortex-A72",
        "clock_mhz": "1500",
        "threads": "1",
        "runtime": "TFLite",
        "runtime_version": "2.18",
        "precision": "fp32",
        "model": f"model{model}",
        "model_family": f"family{model // 2}",
        "latency_ms": str(milliseconds),
    } | other
    row["group"] = f"{row['runtime']} {row['device']}"
    return Sample(row, "cpu-float", tuple(x))


def works(count: int) -> np.ndarray:
    draw = np.random.default_rng(3)
    return 10 ** draw.uniform(6.0, 8.5, (count, len(FEATURES)))


def made(speeds: Mapping[str, float], models: int = 8, **slower: float) -> list[Sample]:
    x = works(models)
    return [
        sample(name, i, SPEED * speed * x[i].sum() * slower.get(f"family{i // 2}", 1.0), x[i])
        for name, speed in speeds.items()
        for i in range(models)
    ]


def test_a_family_that_is_far_from_all_moves_the_others_little() -> None:
    samples = made({"one": 1.0, "two": 1.0, "three": 1.0}, family0=30.0)
    fits = fit(samples, "cpu")
    off = {
        s.row["model"]: math.log(
            milliseconds(costs(fits, level_names(s.row, s.pool)), s.x) / s.milliseconds
        )
        for s in samples
        if s.family != "family0"
    }
    # A mean over four families would be off by log(30) / 4 = 0.85.
    assert abs(statistics.fmean(off.values())) < 0.3


def test_what_an_unseen_device_adds_is_how_far_devices_of_a_core_are_apart() -> None:
    draw = np.random.default_rng(5)
    speeds = {f"board {i}": math.exp(draw.normal(0, 0.4)) for i in range(12)}
    errors = leave_devices_out(made(speeds), "cpu")
    assert errors["runtime"] == []
    assert {e.sample.row["device"] for e in errors["device"]} == set(speeds)
    middle = statistics.fmean(map(math.log, speeds.values()))
    apart = sorted(abs(math.log(speed) - middle) for speed in speeds.values())
    # 80 % of twelve, and one more would be: the eleventh. A device is not in its own mean.
    assert quantile(offsets(errors["device"])) == pytest.approx(apart[10] * 12 / 11, rel=0.15)


def test_a_faster_clock_is_no_error() -> None:
    slow = made({"one": 1.0, "two": 1.0})
    fast = [
        Sample({**s.row, "device": "fast", "group": "fast", "clock_mhz": "3000",
                "latency_ms": str(s.milliseconds / 2)}, s.pool, s.x)
        for s in made({"one": 1.0})
    ]  # fmt: skip
    errors = leave_devices_out(slow + fast, "cpu")["device"]
    assert max(abs(e.ratio) for e in errors if e.sample.row["device"] == "fast") < 0.05


def test_a_core_that_only_a_strange_runtime_ran_on_is_told_apart() -> None:
    x = works(4)
    ncnn = [
        sample("phone", i, 1e-9 * x[i].sum(), x[i], runtime="ncnn", core="Cortex-A57")
        for i in range(4)
    ]
    board = [sample("board", i, 1e-9 * x[i].sum(), x[i], core="Cortex-A57") for i in range(4)]
    errors = leave_devices_out([*ncnn, *board, *made({"other": 1.0})], "cpu")
    assert {e.sample.row["device"] for e in errors["runtime"]} == {"phone", "board"}
    assert errors["device"] == []


def test_plain_fits_find_what_made_the_rows_and_fall_back_on_what_is_shared() -> None:
    truth = np.random.default_rng(7).uniform(0.2, 3.0, len(FEATURES))
    x = works(40)
    samples = [
        sample(device, i, SPEED * speed * float(x[i] @ truth), x[i])
        for device, speed in (("one", 1.0), ("two", 4.0))
        for i in range(40)
    ]
    of_group, of_all = plain_fits(samples)
    new = works(41)[40]
    for device, speed in (("one", 1.0), ("two", 4.0)):
        names = level_names(sample(device, 0, 1.0, new).row, "cpu-float")
        for fitted in (of_group, of_all):
            found = milliseconds(costs((fitted,), names), new)
            assert found == pytest.approx(SPEED * speed * float(new @ truth), rel=0.01)
    nowhere = milliseconds(costs((of_group,), [None] * len(names)), new)
    assert nowhere == pytest.approx(SPEED * 2.0 * float(new @ truth), rel=0.02)


def test_least_squares_never_go_below_nothing() -> None:
    a = np.array([[1.0, 1.0, 0.0], [2.0, 1.0, 0.0], [3.0, 1.0, 0.0]])
    assert weights(a).min() == 0.0
    assert weights(np.eye(3)) == pytest.approx([1.0, 1.0, 1.0])
