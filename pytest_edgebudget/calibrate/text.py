"""A calibrated profile as TOML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields

from pytest_edgebudget.types import Calibration, KindCosts, Profile

_HEAD = "# Written by edgebudget calibrate: costs of operators, measured on this board.\n"


def profile_text(base: Profile, title: str, calibrations: tuple[Calibration, ...]) -> str:
    """A profile with the facts of *base* and these calibrations."""
    lines = [_HEAD, f"title = {_word(title)}", f"runtimes = {_words(_runtimes(base))}"]
    others = [name for name in base.runtimes if name not in _runtimes(base)]
    if others:
        lines.append(f"alternatives = {_words(others)}")
    if base.cpu:
        lines.append(f"cpu = {_word(base.cpu)}")
    if base.cores:
        lines.append(f"cores = {base.cores}")
    if base.clock_hz:
        lines.append(f'clock = "{base.clock_hz / 1e6:g} MHz"')
    if base.ram:
        lines.append(f'ram = "{base.ram / 2**20:g} MiB"')
    lines += [f"kernels = {_word(base.kernels)}"] if base.kernels else []
    lines += [f"sources = {_words(base.sources)}"] if base.sources else []
    for each in calibrations:
        lines += ["", "[[calibration]]", *_calibration(each)]
    return "\n".join(lines) + "\n"


def _runtimes(base: Profile) -> list[str]:
    """One a format: the first of each, as a profile has them."""
    from pytest_edgebudget.devices.runtimes import by_default

    return list(by_default(base.runtimes))


def _calibration(each: Calibration) -> Iterator[str]:
    for field in fields(each):
        value = getattr(each, field.name)
        if field.name == "kinds" or value is None or value in ("", ()):
            continue
        if field.name == "watts_spread" and each.watts is None:
            continue
        if isinstance(value, tuple):
            yield f"{field.name} = {_words(value)}"
        else:
            yield f"{field.name} = {_word(value) if isinstance(value, str) else _number(value)}"
    for name, costs in sorted(each.kinds.items()):
        yield f"kinds.{_word(name)} = {_costs(costs)}"


def _costs(costs: KindCosts) -> str:
    parts = [f"{name} = {_number(value)}" for name, value in costs.seconds.items()]
    tile = [costs.tile.rows, costs.tile.columns, costs.tile.depth]
    if tile != [1, 1, 1]:
        parts.append(f"tile = {tile}")
    if costs.cache:
        parts.append(f"cache = {costs.cache}")
    return "{ " + ", ".join(parts) + " }"


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    text = f"{value:.4g}"
    return text if any(mark in text for mark in ".en") else text + ".0"


def _word(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _words(texts: tuple[str, ...] | list[str]) -> str:
    return json.dumps(list(texts), ensure_ascii=False)
