"""What each op of a subgraph makes, reads and needs, and how long memory is held: in any order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_edgebudget.graph.arena import Plan
from pytest_edgebudget.graph.ir import Subgraph


@dataclass(frozen=True, slots=True)
class Memory:
    """
    Memory that one tensor needs, or several that lie in it.

    *maker*: the op that first writes it (-1: it is there from the start);
    *users*: the ops that read it; *stays*: it is held to the end.
    """

    size: int
    maker: int
    users: frozenset[int]
    stays: bool


@dataclass(frozen=True, slots=True)
class Work:
    """
    The main subgraph, as far as its order matters; everything by op or memory number.

    Attributes:
        needs: the ops that must run before each op.
        scratch: bytes that each op needs while it runs.
        memory: what is held between ops.
        made, read: the memory that each op is the first to write, and that it reads.
    """

    needs: tuple[frozenset[int], ...]
    scratch: tuple[int, ...]
    memory: tuple[Memory, ...]
    made: tuple[tuple[int, ...], ...]
    read: tuple[tuple[int, ...], ...]

    def bytes_in_use(self, order: Sequence[int]) -> list[tuple[int, int]]:
        """For each op of *order*: the bytes held before it runs, and those in use while it does."""
        left = [len(memory.users) for memory in self.memory]
        held = sum(memory.size for memory in self.memory if memory.maker < 0)
        found = []
        for op in order:
            high = held + sum(self.memory[number].size for number in self.made[op])
            found.append((held, high + self.scratch[op]))
            for number in self.read[op]:
                left[number] -= 1
            ended = (n for n in {*self.read[op], *self.made[op]} if left[n] == 0)
            held = high - sum(self.memory[n].size for n in ended if not self.memory[n].stays)
        return found


def work_of(subgraph: Subgraph, plan: Plan, roots: Mapping[int, int], *, holds: bool) -> Work:
    """
    What *plan* says of the main subgraph, without its order.

    *roots*: tensors that lie in another's memory. *holds*: whether the runtime
    holds inputs, and outputs that nobody reads, to the end.
    """
    makers = {i: n for n, op in enumerate(subgraph.ops) for i in op.outputs if i >= 0}
    readers: dict[int, set[int]] = {}
    for number, op in enumerate(subgraph.ops):
        for index in (*op.inputs, *(i for i in op.outputs if i in roots)):
            if index >= 0:
                readers.setdefault(roots.get(index, index), set()).add(number)
    # What nobody writes has no place in an order.
    held = {*subgraph.inputs, *makers}
    kept = {roots.get(index, index) for index in subgraph.outputs}
    memory = [
        Memory(
            size=item.buffer.size,
            maker=makers.get(item.buffer.tensor, -1),
            users=frozenset(users),
            stays=item.buffer.tensor in kept
            or (holds and _unread(item.buffer.tensor, makers, users)),
        )
        for item in plan.allocations
        if item.buffer.subgraph == 0 and item.buffer.tensor in held
        for users in [readers.get(item.buffer.tensor, set())]
    ]
    return _work(subgraph, plan, [m for m in memory if m.users or m.stays or m.maker >= 0], makers)


def _unread(tensor: int, makers: Mapping[int, int], users: Iterable[int]) -> bool:
    return tensor not in makers or not users


def _work(
    subgraph: Subgraph, plan: Plan, memory: Sequence[Memory], makers: Mapping[int, int]
) -> Work:
    count = len(subgraph.ops)
    scratch = [0] * count
    for item in plan.allocations:
        if item.buffer.subgraph == 0 and item.buffer.scratch and plan.steps:
            scratch[plan.steps[item.buffer.first].op] += item.buffer.size
    made: list[list[int]] = [[] for _ in range(count)]
    read: list[list[int]] = [[] for _ in range(count)]
    for number, held in enumerate(memory):
        if held.maker >= 0:
            made[held.maker].append(number)
        for op in held.users:
            read[op].append(number)
    needs = (
        frozenset(makers[index] for index in op.inputs if index in makers) for op in subgraph.ops
    )
    return Work(
        needs=tuple(needs),
        scratch=tuple(scratch),
        memory=tuple(memory),
        made=tuple(map(tuple, made)),
        read=tuple(map(tuple, read)),
    )
