"""``edgebudget calibrate``: a profile of the user's own board, with what it costs there."""

from __future__ import annotations

import argparse
import math
import os
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from pytest_edgebudget.calibrate.board import Calibrated, Tested, calibrate_device
from pytest_edgebudget.calibrate.text import profile_text
from pytest_edgebudget.devices import Device, load_profile, profile_named
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.devices.ways import open_device, way_named
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.facts import Timings
from pytest_edgebudget.types import DeviceChoice, Profile, Unit
from pytest_edgebudget.units import format_value

WAYS = ("host", "ssh", "adb")
"""Where time is a board's own."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user asked for; see ``edgebudget calibrate --help``."""

    run: str
    name: str
    output: Path | None = None
    profile: str = "host"
    runtime: str | None = None
    python: str | None = None
    threads: Sequence[int] = (1,)
    seconds: float = 150.0
    models: Sequence[Path] = ()
    energy_command: tuple[str, ...] = ()
    force: bool = False
    thin: int = 1


def asked_of(options: argparse.Namespace) -> Asked:
    """What the command line says."""
    return Asked(
        run=options.run,
        name=options.name,
        output=options.out,
        profile=options.profile,
        runtime=options.runtime,
        python=options.python,
        threads=tuple(options.threads),
        seconds=options.seconds,
        models=tuple(options.model),
        energy_command=tuple(shlex.split(options.energy_command or "")),
        force=options.force,
    )


def calibrate(asked: Asked, say: Callable[[str], None]) -> str:
    """
    Calibrate a board and write its profile; returns what the user reads of it.

    Raises:
        EdgeBudgetError: a profile, way, runtime or file is not there or cannot be
            written; the board was too slow for the time, busy, or throttled.
    """
    path = asked.output or Path(f"{asked.name}.toml")
    _check(asked, path)
    base = profile_named(asked.profile)
    found = []
    for threads in asked.threads:
        device = open_device(_choice(asked, base, threads))
        _refuse(device)
        try:
            found.append(
                calibrate_device(
                    device,
                    seconds=asked.seconds / len(asked.threads),
                    say=say,
                    models=asked.models,
                    force=asked.force,
                    thin=asked.thin,
                )
            )
        finally:
            device.close()
    _write(path, _text(asked, base, found), asked.force)
    return _report(path, found)


def _check(asked: Asked, path: Path) -> None:
    if not _NAME.fullmatch(asked.name):
        raise EdgeBudgetError(f"--name {asked.name!r}: letters, digits, _ . - make a name")
    if path.suffix != ".toml":
        raise EdgeBudgetError(f"{path}: a profile's file ends with .toml")
    if path.exists() and not asked.force:
        raise EdgeBudgetError(f"{path} exists", "name another with --out, or overwrite: --force")
    if not path.absolute().parent.is_dir():
        raise EdgeBudgetError(f"{path}: there is no folder {path.absolute().parent}")
    for model in asked.models:
        if model.suffix != ".tflite" or not model.is_file():
            raise EdgeBudgetError(f"{model}: not a .tflite file", "--model names one to test on")
    if not 0 < asked.seconds < math.inf:
        raise EdgeBudgetError("--seconds must be more than 0")


def _choice(asked: Asked, base: Profile, threads: int) -> DeviceChoice:
    choice = DeviceChoice(
        profile=base,
        run=asked.run,
        threads=threads,
        runtime=asked.runtime,
        python=asked.python,
        energy_command=asked.energy_command,
    )
    way = way_named(choice.way)
    if way.name not in WAYS:
        raise EdgeBudgetError(
            f"--run {asked.run}: time there is not that of a board",
            f"calibrate by {', '.join(WAYS)}: ssh://pi@pi4.local",
        )
    if way.check is not None:
        way.check(asked.run)
    reason = way.refusal(base)
    if reason:
        raise EdgeBudgetError(f"{base.name}: {reason}")
    return choice


def _refuse(device: Device) -> None:
    """A board that has no worker, a runtime of other formats, a stand-in for a board."""
    runtime = device.runtime_for("tflite") if "tflite" in device.formats else ""
    if not runtime or RUNTIMES[runtime].micro:
        names = ", ".join(device.choice.runtimes)
        raise EdgeBudgetError(
            f"{names}: micro-models are .tflite files, run by a worker",
            "calibrate with --runtime litert or tflite-runtime",
        )
    reason = device.refusal(Timings)
    if reason:
        raise EdgeBudgetError(reason, "name the board's address: --run ssh://user@host")


def _text(asked: Asked, base: Profile, found: Sequence[Calibrated]) -> str:
    first = found[0].calibrations[0]
    title = base.title if base.name != "host" else f"{asked.name}, calibrated: {first.cpu}"
    return profile_text(base, title, tuple(c for each in found for c in each.calibrations))


def _write(path: Path, text: str, force: bool) -> None:
    """All of it or nothing; what is written can be read."""
    part = path.with_name(f".{path.stem}.{os.getpid()}.toml")
    try:
        part.write_text(text, encoding="utf-8")
        load_profile(part)
        if path.exists() and not force:
            raise EdgeBudgetError(f"{path} exists", "it was made meanwhile: --force overwrites it")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _report(path: Path, found: Sequence[Calibrated]) -> str:
    lines = []
    for each in found:
        first = each.calibrations[0]
        lines.append(f"{first.runtime} {first.version}, {_threads(first.threads)}, {first.cpu}")
        lines += [f"  {_line(tested)}" for tested in each.tested]
        errors = [abs(math.expm1(tested.ratio)) for tested in each.tested]
        lines.append(
            f"  {len(errors)} models that were not fitted: median error "
            f"{100 * median(errors):.1f} %, mean {100 * fmean(errors):.1f} %, "
            f"worst {100 * max(errors):.0f} %; "
            f"80 % band {_bands(each)}"
        )
        if first.watts is not None:
            lines.append(f"  {first.watts:.3g} W above idle ({first.power_domain})")
        lines += [f"  note: {note}" for note in first.notes]
    lines.append(f'{path} is written: profile = "{path}" in a budget file estimates by it')
    return "\n".join(lines) + "\n"


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _bands(each: Calibrated) -> str:
    return ", ".join(f"{c.precision} x/{math.exp(c.band):.2f}" for c in each.calibrations)


def _line(tested: Tested) -> str:
    times = [format_value(each, Unit.SECONDS) for each in (tested.seconds, tested.estimated)]
    error = math.expm1(tested.ratio)
    name = tested.name.removeprefix(tested.precision + " ")
    took = f"{times[0]:>10} measured {times[1]:>10} estimated"
    return f"{name:28} {tested.precision:6} {took} {100 * error:+5.0f} %"
