"""
A metric of one version of a model, taken apart: so much of each op, so much of none.

Each function returns a `Split`; its parts and its rest add up to the whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_edgebudget.changes.nodes import Where
from pytest_edgebudget.graph import Graph
from pytest_edgebudget.graph.constants import origins, used
from pytest_edgebudget.graph.cost import layer_costs
from pytest_edgebudget.types import Evidence, Profile

NAMES = "(names, options and quantization)"
SHARED = "(structure, and what layers share when compressed)"
START = "(what no op takes)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What runs the model: estimates of time and plans of memory depend on it."""

    profile: Profile
    runtime: str
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Split:
    """
    A number by op, and the *rest* by what it is, in words with brackets.

    *evidence* is EXACT where each part is what the whole would lose without it.
    """

    parts: Mapping[Where, float]
    rest: Mapping[str, float] = field(default_factory=dict)
    evidence: Evidence = Evidence.EXACT

    @property
    def whole(self) -> float:
        """All of it."""
        return sum(self.parts.values()) + sum(self.rest.values())


def by_bytes(graph: Graph) -> Split:
    """Bytes of the file and its external data: a constant belongs to the first op that uses it."""
    parts = {(cost.subgraph, cost.op): cost.weight_bytes for cost in layer_costs(graph)}
    rest = {
        "(metadata)": sum(note.size for note in graph.metadata),
        "(unused buffers)": graph.unused_bytes,
        "(bytes behind the model)": graph.appended_bytes,
    }
    whole = graph.size + graph.external_size
    rest[NAMES] = whole - sum(parts.values()) - sum(rest.values())
    return Split(parts, rest)


def by_macs(graph: Graph) -> Split:
    """Multiply-accumulates of one inference; ops that cannot be counted count nothing."""
    return Split({(cost.subgraph, cost.op): cost.macs or 0 for cost in layer_costs(graph)})


def by_compressed_bytes(graph: Graph, whole: int) -> Split:
    """
    Bytes of each op's constants, compressed alone as the whole file is, of *whole* bytes.

    An estimate: what one layer costs depends on those before it.
    """
    parts = {where: len(zlib.compress(data, 9)) for where, data in _constants(graph)}
    return Split(parts, {SHARED: whole - sum(parts.values())}, Evidence.ESTIMATED)


def _constants(graph: Graph) -> Iterator[tuple[Where, bytes]]:
    """The bytes of the constants that each op is first to use."""
    seen: set[int] = set()
    for number, subgraph in enumerate(graph.subgraphs):
        known = origins(subgraph)
        for place, op in enumerate(subgraph.ops):
            views = []
            for _, index in used(op, known):
                data = subgraph.tensors[index].data
                if data is not None and id(data) not in seen:
                    seen.add(id(data))
                    views.append(bytes(data))
            if views:
                yield (number, place), b"".join(views)


def compressed_size(path: Path, external: tuple[Path, ...]) -> int:
    """What ``download_size`` is of these files."""
    from pytest_edgebudget.facts import FileFacts
    from pytest_edgebudget.metrics.download_size import read_download_size

    facts = FileFacts(path, path.stat().st_size, external)
    return int(read_download_size(facts, {}).value)


def by_time(graph: Graph, setting: Setting) -> Split:
    """
    Seconds of one inference, as they are estimated for the device.

    Raises NoEstimate where nothing was published that tells.
    """
    from pytest_edgebudget.estimate.asked import estimated

    found = estimated(
        graph, setting.profile, runtime=setting.runtime, threads=max(setting.threads, 1)
    )
    parts: dict[Where, float] = {}
    places = iter(enumerate(graph.ops))
    for each in found.ops:  # in the order of the ops, without those that runtimes fold away
        for place, op in places:
            if op.kind == each.kind and each.name in (op.name, op.name.split(";")[0]):
                parts[0, place] = each.seconds
                break
        else:
            break
    left = found.latency.value - sum(parts.values())
    return Split(parts, {START: left}, Evidence.ESTIMATED)
