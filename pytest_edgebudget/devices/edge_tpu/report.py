"""What `edgetpu_compiler` says of a model: its summary, and the log with a line a kind of op."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.graph.arena import Band

MAPPED = "Mapped to Edge TPU"
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_VERSION = re.compile(r"^Edge TPU Compiler version (\S+)", re.MULTILINE)
_ROW = re.compile(r"^([A-Za-z][\w-]*) +(\d{1,9}) +(\S.*)$", re.MULTILINE)
_SUBGRAPHS = re.compile(r"^Number of Edge TPU subgraphs: (\d{1,9})$", re.MULTILINE)
_TOTAL = re.compile(r"^Total number of operations: (\d{1,9})$", re.MULTILINE)
_REFUSED = re.compile(r"^Invalid model: .*\n\s*(\S.*)", re.MULTILINE)
_SIZE = r": (\d{1,9}(?:\.(\d{1,9}))?)([KMG]?i?B)"
_OFF_CHIP = re.compile("Off-chip memory used for streaming uncached model parameters" + _SIZE)
_ON_CHIP = re.compile("On-chip memory used for caching model parameters" + _SIZE)
_LAST_LINES = 3


@dataclass(frozen=True, slots=True)
class Row:
    """So many operators (*count*) of a *kind* with one *status*, in the compiler's words."""

    kind: str
    count: int
    status: str

    @property
    def mapped(self) -> bool:
        """Whether they run on the Edge TPU."""
        return self.status == MAPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    What one version of the compiler said of one model.

    Attributes:
        rows: what became of the operators; empty for a model that it refused.
        subgraphs: the pieces of the model that the Edge TPU gets.
        off_chip, on_chip: bytes of parameters that are fetched in each
            inference, and that stay; printed with two decimals, so a band. None
            where the report does not say.
        refused: why it takes nothing of the model; empty where it compiled.
    """

    version: str
    rows: tuple[Row, ...] = ()
    subgraphs: int = 0
    off_chip: Band | None = None
    on_chip: Band | None = None
    refused: str = ""

    @property
    def tool(self) -> str:
        """The compiler and its version."""
        return f"edgetpu_compiler {self.version}"


def parse_report(summary: str, log: str) -> Report:
    """
    Read what the compiler printed (*summary*), and the *log* that it wrote.

    Raises CannotTell when it gave up on the model, and when its words are none
    that are known.
    """
    found = _VERSION.search(summary)
    version = found[1] if found else "of an unknown version"
    if refused := _REFUSED.search(summary):
        return Report(version=version, refused=refused[1].strip())
    lines = _ROW.findall(log)
    rows = tuple(Row(kind, int(count), status.strip()) for kind, count, status in lines)
    total, subgraphs = _TOTAL.search(summary), _SUBGRAPHS.search(summary)
    if not rows or not total or int(total[1]) != sum(row.count for row in rows):
        raise CannotTell(
            f"edgetpu_compiler {version} has no result for the model: {_last_words(summary)}"
        )
    return Report(
        version=version,
        rows=rows,
        subgraphs=int(subgraphs[1]) if subgraphs else int(any(row.mapped for row in rows)),
        off_chip=_size(_OFF_CHIP, summary),
        on_chip=_size(_ON_CHIP, summary),
    )


def _size(pattern: re.Pattern[str], text: str) -> Band | None:
    found = pattern.search(text)
    if not found or found[3] not in _UNITS:
        return None
    unit, digits = _UNITS[found[3]], len(found[2] or "")
    value, half = float(found[1]) * unit, 0.5 * unit / 10**digits
    low, high = (value - half, value + half) if unit > 1 else (value, value)
    return Band(round(value), max(0, round(low)), round(high))


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[-_LAST_LINES:])[:300] or "it said nothing"
