"""A board is calibrated: micro-models are timed there, costs fitted, and tested on whole models."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import median

from pytest_edgebudget.calibrate.design import PRECISIONS, micro_models
from pytest_edgebudget.calibrate.power import Power, active_power
from pytest_edgebudget.calibrate.solve import Timed, solve
from pytest_edgebudget.calibrate.timing import is_throttled, time_in_turns, unsteady
from pytest_edgebudget.calibrate.wholes import whole_models
from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.base import Circumstances
from pytest_edgebudget.errors import DeviceError
from pytest_edgebudget.estimate import estimate
from pytest_edgebudget.estimate.own import macs
from pytest_edgebudget.estimate.precision import precision_of
from pytest_edgebudget.estimate.shapes import op_shapes
from pytest_edgebudget.graph import Graph, read
from pytest_edgebudget.types import Calibration, Profile

COVERED = 0.8
TOLERATED = 0.15
"""The part of a board's CPU time that other programs may take: a core of four is more."""
_LEAST = 0.08
"""A band is no narrower: so far were real networks of other makers, on a server, with no sign of it
in the built-in ones."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A model that was not fitted: its seconds, and what was estimated."""

    name: str
    precision: str
    work: float
    seconds: float
    estimated: float

    @property
    def ratio(self) -> float:
        """Logarithm of estimated over measured."""
        return math.log(max(self.estimated, 1e-12) / self.seconds)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What came of it: calibrations to be written, and the models that tested them."""

    calibrations: tuple[Calibration, ...]
    tested: tuple[Tested, ...]


def calibrate_device(
    device: Device,
    *,
    seconds: float,
    say: Callable[[str], None],
    models: Sequence[Path] = (),
    force: bool = False,
    thin: int = 1,
) -> Calibrated:
    """
    Calibrate *device* with its threads.

    Args:
        device: alone for so many *seconds*.
        seconds: for all timings.
        say: is told what is being done.
        models: .tflite files that test it, beside the built-in ones.
        force: a busy or throttled board widens the band, and is not refused.
        thin: of the micro-models each so-manieth alone; for tests.

    Raises:
        EdgeBudgetError: the runtime is missing, or there was too little time.
        DeviceError: the board cannot be reached, was busy, or throttled.
    """
    identity = device.identity("tflite")
    with tempfile.TemporaryDirectory(prefix="edgebudget-") as folder:
        files = _files(Path(folder), models, thin)
        turns = time_in_turns(device, files, seconds=seconds, say=say)
        times = turns.times
        widen, notes = _circumstances(turns.seen, times, force)
        graphs = {name: read(files[name]) for name in times}
        say("fitting")
        micro = {n: min(t) for n, t in times.items() if not n.startswith("whole")}
        fits = _fits(graphs, micro)
        power = active_power(device, [path for name, path in files.items() if _is_big(name)], say)
    whole = Calibration(
        runtime=identity.runtime,
        precision="",
        threads=device.choice.threads,
        version=identity.version,
        cpu=identity.cpu,
        date=date.today().isoformat(),
        micro_models=0,
        models=1,
        median_error=0.0,
        worst_error=0.0,
        band=0.0,
        smallest=0.0,
        largest=0.0,
        start=0.0,
        kinds={},
        notes=notes,
    )
    whole = _with_power(whole, power)
    sets = tuple(replace(whole, precision=name, **fit) for name, fit in fits.items())  # type: ignore[arg-type]
    tested = _test(sets, graphs, times)
    return Calibrated(_judged(sets, tested, widen), tested)


def _is_big(name: str) -> bool:
    return name in ("whole fp32 residual", "whole int8 residual", "whole int8 mobilenet")


def _with_power(whole: Calibration, power: Power | None) -> Calibration:
    if power is None:
        return whole
    return replace(whole, watts=power.watts, watts_spread=power.spread, power_domain=power.domain)


def _files(folder: Path, models: Sequence[Path], thin: int) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for precision in PRECISIONS:
        each = micro_models(precision)
        chosen = {
            name: build
            for number, (name, build) in enumerate(each.items())
            if number % thin == 0 or name.startswith("ADD 1 ")  # which tell the start
        }
        nets = {f"{precision} {name}": build for name, build in chosen.items()}
        wholes = whole_models(precision)
        nets |= {f"whole {precision} {name}": build for name, build in wholes.items()}
        for name, build in nets.items():
            path = folder / f"{len(found)}.tflite"
            path.write_bytes(build().tflite())
            found[name] = path
    return found | {f"whole given {path.name}": path for path in models}


def _circumstances(
    seen: Circumstances, times: Mapping[str, Sequence[float]], force: bool
) -> tuple[float, tuple[str, ...]]:
    """
    By how much the band widens, and what is to be known.

    Raises DeviceError for a busy or throttled board that is not forced. A little of
    other work is not refused: the least of several workers' times is free of it.
    """
    unquiet = unsteady(times)
    widen = max(seen.widen, unquiet.widen)
    notes = (*seen.notes, *unquiet.notes)
    if (widen > TOLERATED or is_throttled(seen)) and not force:
        raise DeviceError(
            f"the board was not at rest: {'; '.join(notes)}",
            "end what else runs there, cool it, and try again; --force takes it with a wider band",
        )
    return widen, notes


def _fits(graphs: Mapping[str, Graph], micro: Mapping[str, float]) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for precision in PRECISIONS:
        timed = [
            Timed(name, op_shapes(graphs[name]), seconds)
            for name, seconds in micro.items()
            if name.startswith(precision + " ")
        ]
        # Weights of 8 bits are for products; what a converter leaves in float is fitted there.
        timed = [t for t in timed if all(op.precision == precision for op in t.ops)]
        if timed:
            start, kinds = solve(timed)
            start = start or float(str(next(iter(found.values()), {}).get("start", 0.0)))
            found[precision] = {"start": start, "kinds": kinds, "micro_models": len(timed)}
    return found


def _test(
    sets: tuple[Calibration, ...],
    graphs: Mapping[str, Graph],
    times: Mapping[str, Sequence[float]],
) -> tuple[Tested, ...]:
    profile = Profile(name="board", title="", runtimes=(sets[0].runtime,), calibrations=sets)
    found = []
    for name, graph in graphs.items():
        if not name.startswith("whole "):
            continue
        precision = precision_of(graph)
        told = estimate(
            graph,
            profile,
            runtime=sets[0].runtime,
            threads=sets[0].threads,
            precision=precision,
        )
        assert told is not None
        work, least = macs(op_shapes(graph)), min(times[name])
        label = name.removeprefix("whole ").removeprefix("given ")
        found.append(Tested(label, precision, work, least, told.latency.value))
    return tuple(found)


def _judged(
    sets: tuple[Calibration, ...], tested: tuple[Tested, ...], widen: float
) -> tuple[Calibration, ...]:
    """With the errors seen; the band is their quantile, split conformal: of few, the largest."""
    judged = []
    for each in sets:
        own = [t for t in tested if t.precision == each.precision] or list(tested)
        errors = [abs(math.expm1(t.ratio)) for t in own]
        sizes = sorted(abs(t.ratio) for t in own)
        place = min(math.ceil((len(sizes) + 1) * COVERED) - 1, len(sizes) - 1)
        judged.append(
            replace(
                each,
                models=len(own),
                median_error=median(errors),
                worst_error=max(errors),
                band=max(sizes[place], _LEAST) + math.log1p(widen),
                smallest=min(t.work for t in own),
                largest=max(t.work for t in own),
            )
        )
    return tuple(judged)
