"""What two looks at a board say about the time between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_edgebudget.devices.base import Circumstances

State = Mapping[str, Any]
"""As the helper tells it, see `agent.state`."""

PI_FLAGS = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")
"""Bits 0..3 now, 16..19 since the board started."""
EARLIER = 16
BUSY = 0.05  # of the board's CPU time, by others
FULL_SPEED = 0.98  # of the time: a governor needs a moment to wake up
UNKNOWN = 0.5  # the usual least clock of a throttled board is half its greatest
KHZ, MILLI = 1e3, 1e-3


def compare(before: State, after: State) -> Circumstances:
    """
    What a reader must know of the time between, and how far the interval grows.

    A board that was throttled would have been faster by the ratio of its
    greatest clock frequency to the one that it ran at (by half, where that is
    not told); what other programs took of its CPUs is the part by which they
    may have slowed ours.
    """
    throttled = list(_throttled(before, after))
    share = _others(before, after)
    notes = [
        *_clock(before, after),
        *_heat(after),
        *_cores(after),
        *(f"the board was throttled: {reason}" for reason in throttled),
    ]
    if share > BUSY:
        notes.append(f"the board was busy: other programs took {share:.0%} of its CPU time")
    widen = (_slowed(before, after) if throttled else 0.0) + (share if share > BUSY else 0.0)
    return Circumstances(tuple(notes), widen)


def _throttled(before: State, after: State) -> Iterator[str]:
    """Why the board was slower than it can be; nothing where it was not."""
    flags = [before["throttled"] or 0, after["throttled"] or 0]
    began = (flags[1] & ~flags[0]) >> EARLIER
    for bit, name in enumerate(PI_FLAGS):
        if (flags[0] | flags[1] | began) >> bit & 1:
            yield name
    if max(before["cooling"], after["cooling"]) > 0:
        yield "the kernel slowed the CPU to cool it"
    if sum(_counts(after, "throttles")) > sum(_counts(before, "throttles")):
        yield "the CPU slowed itself to cool down"


def _slowed(before: State, after: State) -> float:
    """By which part the board was slower than its greatest frequency."""
    top = max(_counts(after, "top"), default=0)
    ran = mean_clock(before, after)
    return top / ran - 1 if top and ran and ran < top else UNKNOWN


def mean_clock(before: State, after: State) -> float | None:
    """
    The mean frequency of the fastest CPUs meanwhile, in kHz; None where nothing tells.

    From the time in each state where the kernel counts it, else from what
    the frequency is right after.
    """
    top = max(_counts(after, "top"), default=0)
    fast = [pair for pair in zip(before["cpus"], after["cpus"], strict=False) if _is(pair, top)]
    found = []
    for first, last in fast:
        ticks = {
            int(state): count - first["states"].get(state, 0)
            for state, count in last["states"].items()
        }
        if sum(ticks.values()) > 0:
            found.append(sum(s * n for s, n in ticks.items()) / sum(ticks.values()))
        elif last["now"]:
            found.append(float(last["now"]))
    return max(found, default=None)


def _is(pair: Sequence[Mapping[str, Any]], top: int) -> bool:
    return bool(pair[1]["top"] == top)


def _clock(before: State, after: State) -> Iterator[str]:
    governors = sorted({cpu["governor"] for cpu in after["cpus"] if cpu["governor"]})
    ran, top = mean_clock(before, after), max(_counts(after, "top"), default=0)
    cap = max(_counts(after, "cap"), default=0)
    words = [f"governor {' and '.join(governors)}"] if governors else []
    if ran and top:
        words.append(f"{_ghz(ran)} of {_ghz(top)}" if ran < FULL_SPEED * top else _ghz(top))
    if cap and top and cap < top:
        words.append(f"capped at {_ghz(cap)}")
    if words:
        yield ", ".join(words)
    else:
        yield "the board does not tell its clock frequency"


def _heat(after: State) -> Iterator[str]:
    zones = [zone for zone in after["zones"] if zone["now"] is not None]
    if not zones:
        return
    hottest = max(zones, key=lambda zone: zone["now"])
    limits = [zone["passive"] for zone in zones if zone["passive"]]
    limit = f" (throttles at {min(limits) * MILLI:.0f} C)" if limits else ""
    yield f"{hottest['now'] * MILLI:.0f} C{limit}"


def _cores(after: State) -> Iterator[str]:
    """Which cores a model may run on, where they differ or are not all."""
    cpus, allowed = after["cpus"], after["affinity"]
    kinds = sorted({cpu["capacity"] for cpu in cpus if cpu["capacity"]})
    if len(kinds) > 1:
        big = [cpu["cpu"] for cpu in cpus if cpu["capacity"] == kinds[-1]]
        where = "any core" if len(allowed) >= len(cpus) else f"cores {_ranges(allowed)}"
        yield f"on {where} (the fast ones are {_ranges(big)})"
    elif allowed and len(allowed) < len(cpus):
        yield f"on cores {_ranges(allowed)} of {len(cpus)}"


def _others(before: State, after: State) -> float:
    """The part of the board's CPU time that programs took which are not ours."""
    seconds: float = after["clock"] - before["clock"]
    if before["busy"] is None or after["busy"] is None or seconds <= 0:
        return 0.0
    theirs: float = (after["busy"] - before["busy"]) - max(0.0, after["own"] - before["own"])
    return min(1.0, max(0.0, theirs / (seconds * max(1, len(after["cpus"])))))


def _counts(state: State, name: str) -> list[int]:
    return [cpu[name] for cpu in state["cpus"] if cpu[name] is not None]


def _ghz(khz: float) -> str:
    return f"{khz * KHZ / 1e9:.2f} GHz"


def _ranges(numbers: Sequence[int]) -> str:
    """Such as "0-3, 6"."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)
