"""
What LiteRT's GPU accelerator says while it takes a model: the only place where it tells the truth.

``is_fully_accelerated()`` is True for a model that runs on the CPU, when there
is no GPU library at all. Seen in ai-edge-litert 2.3.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ADAPTER = re.compile(r"Selected adapter: (?P<name>.*?), arch=.*?backend=(?P<api>\w+)(?P<rest>.*)")
_SHARES = re.compile(
    r"(?P<on>\d+|No) operations will run on the GPU, and (?:the remaining|all) (?P<off>\d+) "
)
_STARTED = re.compile(r"Initializing (?P<api>[\w ]+?)-based API")
_REASON = re.compile(r"^(?P<kind>[A-Z][A-Z0-9_]+|[\w.-]+): (?P<why>\S.*)$")
_CHATTER = ("plugin", "npu_", "Logging before")
REASONS = "not supported by GPU delegate:"
SOFTWARE = ("adapterType=CPU", "Software")


@dataclass(frozen=True)
class GpuLog:
    """
    What was said.

    Attributes:
        adapter: the GPU's name; "" where none was selected.
        api: through which it is reached, "WebGPU on Vulkan".
        software: whether the adapter is a program.
        on, off: so many operators run on the GPU and on the CPU; None: not said.
        reasons: (kind of operator, why) of those that the GPU does not run.
        errors: lines that look like the cause of a failure.
    """

    adapter: str
    api: str
    software: bool
    on: int | None
    off: int | None
    reasons: tuple[tuple[str, str], ...]
    errors: tuple[str, ...]


def read_log(text: str) -> GpuLog:
    """Read it; what an unknown version says in other words is not there."""
    adapter, shares, started = (_last(each, text) for each in (_ADAPTER, _SHARES, _STARTED))
    apis = (started["api"] if started else "", adapter["api"] if adapter else "")
    rest = adapter["rest"] if adapter else ""
    return GpuLog(
        adapter=adapter["name"] if adapter else "",
        api=" on ".join(filter(None, apis)),
        software=any(word in rest for word in SOFTWARE),
        on=(0 if shares["on"] == "No" else int(shares["on"])) if shares else None,
        off=int(shares["off"]) if shares else None,
        reasons=tuple(_reasons(text.splitlines())),
        errors=tuple(_errors(text.splitlines())),
    )


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for found in pattern.finditer(text):  # noqa: B007 the last one counts
        pass
    return found


def _reasons(lines: list[str]) -> list[tuple[str, str]]:
    """The lines below the last heading, as long as they look like reasons."""
    starts = [number for number, line in enumerate(lines) if REASONS in line]
    found: list[tuple[str, str]] = []
    for line in lines[starts[-1] + 1 :] if starts else ():
        match = _REASON.match(line)
        if match is None:
            break
        found.append((match["kind"], match["why"].rstrip(". ")))
    return found


def _errors(lines: list[str]) -> list[str]:
    """Errors and warnings of the delegate, without where in its code they were said."""
    said = []
    for line in lines:
        match = re.match(r"(?:ERROR|WARNING): (?:\[(?P<where>[\w./]+):\d+\] )?(?P<what>.+)", line)
        if match and not any(word in line for word in (REASONS, *_CHATTER)):
            said.append(match["what"].strip())
    return [what for what in said if what and not what.startswith("[")]
