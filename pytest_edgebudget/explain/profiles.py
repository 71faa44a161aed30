"""A profile's facts, each with where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from pytest_edgebudget.types import Profile, Unit
from pytest_edgebudget.units import format_value


def profile_text(profile: Profile) -> str:
    """The profile in words, a line for each fact."""
    lines = [f"{name:14}{value}" for name, value in _facts(profile) if value]
    sources = [
        line
        for source in profile.sources
        for line in wrap(source, 96, initial_indent="  ", subsequent_indent="    ")
    ]
    where = ["", "Where the facts come from:", *sources] if sources else []
    return "\n".join([f"{profile.name}: {profile.title}", "", *lines, *where])


def _facts(profile: Profile) -> Iterator[tuple[str, str]]:
    yield "runtimes", ", ".join(profile.runtimes)
    yield "kernels", profile.kernels
    yield "accelerator", profile.accelerator
    yield "cpu", profile.cpu
    yield "cores", str(profile.cores or "")
    yield "clock", f"{profile.clock_hz / 1e6:g} MHz" if profile.clock_hz else ""
    yield "ram", _bytes(profile.ram)
    yield "luts", _count(profile.luts)
    yield "flip-flops", _count(profile.flip_flops)
    yield "dsps", _count(profile.dsps)
    yield "block ram", _bytes(profile.block_ram)
    for region in profile.regions:
        at = f" at {region.address:#010x}" if region.address is not None else ""
        yield region.name, f"{_bytes(region.size)} of {region.kind}{at}"
    yield "runs", profile.default_run


def _count(number: int | None) -> str:
    return f"{number:,}" if number else ""


def _bytes(size: int | None) -> str:
    return format_value(size, Unit.BYTES) if size else ""
