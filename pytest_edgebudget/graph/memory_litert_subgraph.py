"""One subgraph's arena in LiteRT: its tensors and temporaries, each at its offset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_edgebudget.graph.ir import Subgraph
from pytest_edgebudget.graph.memory_litert_arena import Arena, Wanted, in_order
from pytest_edgebudget.graph.memory_litert_homes import Home, Homes, homes
from pytest_edgebudget.graph.memory_litert_lives import Lives, lives
from pytest_edgebudget.graph.memory_litert_open import OPEN, has_other_sizes
from pytest_edgebudget.graph.memory_litert_order import hash_order
from pytest_edgebudget.graph.memory_litert_scratch import AT_ONCE, temporaries
from pytest_edgebudget.graph.memory_litert_temporary import (
    Temporary,
    UnknownScratch,
    Use,
    tensor_bytes,
)


@dataclass(frozen=True, slots=True)
class Placed:
    """
    A buffer at its *offset*, in use from node *first* to *last* (`NEVER`: to the end).

    *tensor*: its index; -1 for a temporary.
    """

    name: str
    size: int
    offset: int
    first: int
    last: int
    tensor: int


@dataclass(frozen=True, slots=True)
class Planned:
    """
    A subgraph's memory.

    Attributes:
        size: bytes of the arena.
        placed: what lies in it.
        heap: tensors whose size is known only when their op has run; their
            offset means nothing.
        growing: whether there are such tensors, even of no known size.
        persistent: bytes that are kept for good beside it.
        roots: for each tensor that lies in another's memory, that other.
        searched: whether every gap was looked for; otherwise offsets are no more
            than places that are free.
        reasons: why *size* may be wrong.
    """

    size: int
    placed: tuple[Placed, ...]
    heap: tuple[Placed, ...]
    growing: bool
    persistent: int
    roots: Mapping[int, int]
    searched: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """
    How a subgraph is called.

    *inputs*: those that are kept, *lent*: those for which the caller has memory,
    *growing*: its ops that call subgraphs whose outputs have no fixed size,
    *idle*: outputs of loops that nobody reads, and that have a place all the same.
    """

    inputs: tuple[int, ...]
    lent: tuple[int, ...] = ()
    growing: tuple[int, ...] = ()
    idle: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A temporary and its number in the runtime."""

    index: int
    temporary: Temporary


def plan_subgraph(subgraph: Subgraph, frame: Frame, kernels: str) -> Planned:
    """The arena of one subgraph, with the temporaries that *kernels* ask for."""
    where = homes(subgraph, lent=frame.lent, growing=frame.growing, idle=frame.idle)
    reasons: list[str] = []
    scratch = _temporaries(subgraph, where.of, kernels, reasons)
    layout = _Layout(subgraph, frame, where, scratch)
    layout.place()
    if layout.arena.exhausted:
        reasons.append("too many tensors live at once to look for every gap")
    if has_other_sizes(subgraph):
        reasons.append(OPEN)
    heap = layout.placed_in(Home.HEAP)
    return Planned(
        size=layout.arena.size,
        placed=layout.placed_in(Home.ARENA),
        heap=tuple(item for item in heap if item.tensor >= 0),
        growing=bool(where.late),
        persistent=layout.kept() + sum(item.size for item in heap if item.tensor < 0),
        roots=layout.lives.roots,
        searched=not layout.arena.exhausted,
        reasons=tuple(reasons),
    )


def _temporaries(
    subgraph: Subgraph, where: Sequence[Home], kernels: str, reasons: list[str]
) -> Mapping[int, Sequence[_Numbered]]:
    """Each op's temporaries, by its number."""
    starts, behind = {}, len(subgraph.tensors)
    for number, op in enumerate(subgraph.ops):
        if op.kind in AT_ONCE and not op.custom:
            starts[number] = behind
            behind += AT_ONCE[op.kind]
    found = {}
    for number, op in enumerate(subgraph.ops):
        slots = _slots(Use(op, subgraph.tensors, where, kernels), reasons)
        start = starts.get(number, behind)
        if number not in starts:
            behind += len(slots)
        used = [_Numbered(start + i, slot) for i, slot in enumerate(slots) if slot is not None]
        if used:
            found[number] = used
    return found


def _slots(use: Use, reasons: list[str]) -> Sequence[Temporary | None]:
    try:
        return temporaries(use)
    except UnknownScratch as error:
        reasons.append(str(error))
    except IndexError:  # a shape with fewer dimensions than the kernel needs
        reasons.append(f"{use.op.kind}: shapes with which this op does not run")
    return ()


class _Layout:
    """Gives each tensor its place, node by node."""

    def __init__(
        self,
        subgraph: Subgraph,
        frame: Frame,
        where: Homes,
        scratch: Mapping[int, Sequence[_Numbered]],
    ) -> None:
        self.subgraph, self.frame, self.scratch = subgraph, frame, scratch
        self.where, self.late = where.of, where.late
        self.sizes = [tensor_bytes(tensor) for tensor in subgraph.tensors]
        self.lives: Lives = lives(subgraph, frame.inputs, self.sizes, where)
        self.arena = Arena()
        late = (subgraph.ops[number] for number in self.late)
        self._reshaped = {op.outputs[0] for op in late if op.kind == "RESHAPE" and op.outputs}
        self._placed: list[tuple[Home, Placed]] = []

    def place(self) -> None:
        """Place all tensors and temporaries."""
        for nodes in self._prepared_together():
            asked = [wanted for node in nodes for wanted in self._asked(node)]
            self._note(Home.HEAP, (item for item in asked if self._on_heap(item)))
            for wanted in in_order([item for item in asked if item.home in _ARENAS]):
                if wanted.index not in self.lives.roots:
                    self._note(wanted.home, (wanted,))

    def _on_heap(self, wanted: Wanted) -> bool:
        """A late RESHAPE that could not share has room in the arena, and takes more."""
        if wanted.home is Home.HEAP:
            return True
        return wanted.index in self._reshaped and wanted.index not in self.lives.roots

    def placed_in(self, home: Home) -> tuple[Placed, ...]:
        """What is at one kind of home."""
        return tuple(item for where, item in self._placed if where is home)

    def kept(self) -> int:
        """Bytes of the persistent arena, and of what was computed from constants."""
        computed = {i for op in self.subgraph.ops for i in op.outputs if i >= 0}
        computed = {i for i in computed if self.where[i] is Home.READ_ONLY}
        return sum(self.sizes[i] for i in computed) + sum(
            item.size for item in self.placed_in(Home.PERSISTENT)
        )

    def _note(self, home: Home, asked: Iterable[Wanted]) -> None:
        for wanted in asked:
            offset = self.arena.place(wanted) if home is Home.ARENA else 0
            tensor = -1 if wanted.index >= len(self.sizes) else wanted.index
            span = wanted.first, wanted.last
            self._placed.append((home, Placed(wanted.name, wanted.size, offset, *span, tensor)))

    def _prepared_together(self) -> Iterator[range]:
        """Ops are prepared, and their tensors placed, up to one whose outputs have no size yet."""
        start, count = 0, max(len(self.subgraph.ops), 1)
        for node in sorted(self.late):
            yield range(start, node + 1)
            start = node + 1
        if start < count:
            yield range(start, count)

    def _asked(self, node: int) -> Iterator[Wanted]:
        """What a node wants, in the order of the set that holds it."""
        scratch = {item.index: item.temporary for item in self.scratch.get(node, ())}
        for index in hash_order([*dict.fromkeys(self._named(node)), *scratch]):
            if index in scratch:
                item = scratch[index]
                name = f"{self.subgraph.ops[node].name}: {item.name}"
                wanted = Wanted(index, item.size, node, node, item.home, name)
            else:
                first, last = self.lives.first[index], self.lives.last[index]
                name = self.subgraph.tensors[index].name
                wanted = Wanted(index, self.sizes[index], first, last, self.where[index], name)
            if wanted.size:
                yield wanted

    def _named(self, node: int) -> Iterator[int]:
        """The tensors that come into being with a node."""
        if node == 0:
            yield from (i for i, tensor in enumerate(self.subgraph.tensors) if tensor.variable)
            yield from self.frame.inputs
        if self.subgraph.ops:
            yield from (index for index in self.subgraph.ops[node].outputs if index >= 0)


_ARENAS = (Home.ARENA, Home.PERSISTENT)
