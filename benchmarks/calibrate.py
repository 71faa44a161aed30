"""
How far estimates are from what is measured, on this machine, once it is calibrated.

    python benchmarks/calibrate.py FOLDER [SECONDS]

FOLDER (or EDGEBUDGET_MODELS) has real .tflite models, anywhere below it. The machine is
calibrated by its micro-models first, none of which is a real model; then each real
model is timed in fresh workers that take turns (the least of the medians of their
blocks), with one thread. The band is that which the built-in test models gave.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pytest_edgebudget.calibrate.command import Asked, calibrate
from pytest_edgebudget.calibrate.timing import time_in_turns
from pytest_edgebudget.devices import load_profile, profile_named
from pytest_edgebudget.devices.ways import open_device
from pytest_edgebudget.estimate import estimate
from pytest_edgebudget.estimate.precision import precision_of
from pytest_edgebudget.graph import read
from pytest_edgebudget.types import DeviceChoice

SECONDS = 150.0


def quiet(text: str) -> None:
    """Progress goes nowhere."""


def main(arguments: Sequence[str]) -> str:
    """Print the table; a sentence where there are no models."""
    folder = arguments[0] if arguments else os.environ.get("EDGEBUDGET_MODELS", "")
    models = sorted(Path(folder).rglob("*.tflite")) if folder else []
    if not models:
        return "no models: name a folder of .tflite files, or set EDGEBUDGET_MODELS"
    seconds = float(arguments[1]) if len(arguments) > 1 else SECONDS
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        path, began = Path(scratch) / "here.toml", time.monotonic()
        told = calibrate(Asked(run="host", name="here", output=path, seconds=seconds), quiet)
        taken = time.monotonic() - began
        profile = load_profile(path)
    print(next(line.strip() for line in told.splitlines() if "that were not fitted" in line))
    device = open_device(DeviceChoice(profile=profile_named("host"), run="host"))
    times = time_in_turns(
        device, {str(each): each for each in models}, seconds=seconds, say=quiet
    ).times
    print("| model | precision | measured, us | estimated, us | error | in the band |")
    print("|---|---|---|---|---|---|")
    errors, inside = [], 0
    for name, blocks in times.items():
        graph = read(Path(name))
        precision = precision_of(graph)
        found = estimate(
            graph,
            profile,
            runtime=device.runtime_for("tflite"),
            threads=1,
            precision=precision,
        )
        assert found is not None
        measured, latency = min(blocks), found.latency
        errors.append(latency.value / measured - 1)
        inside += latency.low <= measured <= latency.high
        print(
            f"| {Path(name).name} | {precision} | {measured * 1e6:.1f} | "
            f"{latency.value * 1e6:.1f} | {errors[-1]:+.1%} | "
            f"{'yes' if latency.low <= measured <= latency.high else 'no'} |"
        )
    sizes = [abs(error) for error in errors]
    bands = [f"{each.precision} x/{math.exp(each.band):.2f}" for each in profile.calibrations]
    return (
        f"{len(sizes)} models: median error {statistics.median(sizes):.1%}, MAPE "
        f"{statistics.fmean(sizes):.1%}, worst {max(sizes):.1%}; {inside} in the 80 % band "
        f"({', '.join(bands)}); calibrated in {taken:.0f} s; load {load:.1f} before, "
        f"{os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    print(main(sys.argv[1:]))
