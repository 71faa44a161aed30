"""A limit's metric in two versions of a model, by layer: which way of counting tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pytest_edgebudget.changes import arena, split
from pytest_edgebudget.changes.attribute import Attribution, attribute
from pytest_edgebudget.changes.match import Match, match
from pytest_edgebudget.changes.split import Setting, Split
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.graph import Graph, read
from pytest_edgebudget.types import Unit

BYTES = ("size", "model_flash", "flash", "ram", "cold_start", "npu_flash", "off_chip")
TIMES = ("latency", "latency_p95", "latency_p99", "energy", "instructions", "npu_cycles")
PLANS = ("arena", "activation_plan")
LONGEST = 64 * 2**20
"""Bytes of a file that is compressed once more, layer by layer: some seconds."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A difference of the metric *of* in *unit*: the limit's own, or what it follows from."""

    of: str
    unit: Unit
    found: Attribution


@dataclass(frozen=True)
class Versions:
    """
    Two files of one model, the older first; read and compared once for all limits.

    *setting* is None where it is not known what runs them: bytes and arithmetic
    are told all the same.
    """

    before: Path
    after: Path
    setting: Setting | None = None

    @cached_property
    def graphs(self) -> tuple[Graph, Graph]:
        """Both. Raises EdgeBudgetError where one cannot be read, or they are of two formats."""
        if self.before.suffix != self.after.suffix:
            raise EdgeBudgetError(
                f"a {self.before.suffix} model then, a {self.after.suffix} model now"
            )
        return read(self.before), read(self.after)

    @cached_property
    def matched(self) -> Match:
        """Which layer is which."""
        return match(*self.graphs)

    def counted(self, metric: str) -> Counted | None:
        """
        The difference of *metric* by layer; None for one that layers say nothing about.

        What cannot be counted by layer itself is told by what it follows from:
        memory by bytes, times by an estimate or by multiply-accumulates.
        Raises EdgeBudgetError where the files cannot be compared.
        """
        for name, unit, tell in self._ways(metric):
            found = tell()
            if found is not None:
                return Counted(name, unit, found)
        return None

    def _ways(self, metric: str) -> Iterator[tuple[str, Unit, Callable[[], Attribution | None]]]:
        if metric == "download_size":
            yield metric, Unit.BYTES, self._compressed
        elif metric in PLANS:
            yield metric, Unit.BYTES, lambda: self._planned(whole=metric == "arena")
        elif metric in BYTES:
            yield "size", Unit.BYTES, lambda: self._simple(split.by_bytes)
        elif metric in TIMES:
            yield "latency", Unit.SECONDS, self._timed
        if metric in TIMES or metric == "macs":
            yield "macs", Unit.COUNT, lambda: self._simple(split.by_macs)

    def _simple(self, way: Callable[[Graph], Split]) -> Attribution:
        before, after = self.graphs
        return attribute(way(before), way(after), self.matched)

    def _compressed(self) -> Attribution | None:
        if max(graph.size + graph.external_size for graph in self.graphs) > LONGEST:
            return None
        before, after = map(_compressed, (self.before, self.after), self.graphs)
        return attribute(before, after, self.matched)

    def _planned(self, *, whole: bool) -> Attribution | None:
        if self.setting is None:
            return None
        before, after = (arena.planned(graph, self.setting) for graph in self.graphs)
        if before is None or after is None:
            return None
        found = arena.by_plan(self.graphs, (before, after), self.matched, whole=whole)
        return attribute(found.before, found.after, self.matched)

    def _timed(self) -> Attribution | None:
        from pytest_edgebudget.estimate.asked import NoEstimate

        if self.setting is None:
            return None
        try:
            before, after = (split.by_time(graph, self.setting) for graph in self.graphs)
        except NoEstimate:
            return None
        return attribute(before, after, self.matched)


def _compressed(path: Path, graph: Graph) -> Split:
    beside = tuple(path.parent / name for name in graph.external)
    return split.by_compressed_bytes(graph, split.compressed_size(path, beside))
