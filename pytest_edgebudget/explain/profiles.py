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
    where += _published(profile)
    return "\n".join([f"{profile.name}: {profile.title}", "", *lines, *where])


def _published(profile: Profile) -> list[str]:
    """What others measured there, with its sources: to be read, since no budget is judged by it."""
    if not profile.published:
        return []
    rows = [
        f"  {each.model:32}{_quantity(each.latency, Unit.SECONDS):>9}"
        f"{_quantity(each.energy, Unit.JOULES):>10}"
        for each in profile.published
    ]
    sources = dict.fromkeys(each.source for each in profile.published)
    return [
        "",
        "Published, an inference (no budget is judged by it):",
        *rows,
        *(f"  {s}" for s in sources),
    ]


def _quantity(value: float | None, unit: Unit) -> str:
    return "" if value is None else format_value(value, unit)


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
    yield "chip", profile.chip
    for region in profile.regions:
        at = f" at {region.address:#010x}" if region.address is not None else ""
        yield region.name, f"{_bytes(region.size)} of {region.kind}{at}"
    yield "runs", profile.default_run


def _count(number: int | None) -> str:
    return f"{number:,}" if number else ""


def _bytes(size: int | None) -> str:
    return format_value(size, Unit.BYTES) if size else ""
