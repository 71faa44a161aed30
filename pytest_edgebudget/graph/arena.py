"""What a memory plan is: buffers that live for a while, each at its place in an arena."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Buffer:
    """
    Memory that something needs for a while.

    Attributes:
        name: for people: the tensor's name, or what the scratch is for.
        size: bytes, before alignment.
        first, last: the first and the last step (see `Plan.steps`) at which it
            is in use, both included.
        subgraph: index of the subgraph that it belongs to.
        tensor: index in that subgraph's tensors; -1 for scratch.
    """

    name: str
    size: int
    first: int
    last: int
    subgraph: int = 0
    tensor: int = -1

    @property
    def scratch(self) -> bool:
        """Whether a kernel needs it, and no tensor."""
        return self.tensor < 0

    def lives_with(self, other: Buffer) -> bool:
        """Whether both are in use at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True)
class Allocation:
    """A buffer and its *offset* from the start of the arena, in bytes."""

    buffer: Buffer
    offset: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + self.buffer.size


@dataclass(frozen=True, slots=True)
class Step:
    """One op in the order of execution: *op* of *subgraph* (indices)."""

    subgraph: int
    op: int


@dataclass(frozen=True, slots=True)
class Band:
    """An estimate in bytes, and the interval in which it lies."""

    value: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class ArenaRun:
    """
    What TensorFlow Lite Micro took on x86-64 with its reference kernels, in bytes.

    Attributes:
        smallest: the smallest arena in which the model came up and ran once.
        head: the planned part of it.
        tail: the part that stays for good.
    """

    smallest: int
    head: int
    tail: int


@dataclass(frozen=True, slots=True)
class Arena:
    """
    The smallest arena on the device, in bytes: *value* in *low*..*high*.

    *high* is None where nothing bounds it; *head* is the part of *value* that
    models of one device use in turn.
    """

    value: int
    low: int
    high: int | None
    head: int


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Where one runtime puts the activations of a model.

    Attributes:
        runtime: "tflm", "litert" or "onnxruntime".
        size: bytes of the arena's planned (non-persistent) part, as the runtime
            has them.
        exact: whether *size* is provably the runtime's own number. Otherwise it
            is the least that is needed, and *reasons* say why it may be more.
        upper: the most that *size* may be, over all builds and known releases
            of the kernels; *size* itself where that is exact; None where
            nothing bounds it.
        steps: the ops of all planned subgraphs in the order of execution.
        allocations: what lies where; scratch is among them.
        live: bytes in use at each step: the sum of the buffers that are alive.
        lower_bound: the largest of *live*, and at least the largest buffer: no
            placement in this order of operations needs less.
        persistent: what the runtime keeps for good beside the plan (tensor
            structures, kernel data); None when nothing is known about it.
        transient: bytes beside the persistent part that the runtime needs while
            it plans; they count only where they are more than *size*.
    """

    runtime: str
    size: int
    exact: bool
    reasons: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    allocations: tuple[Allocation, ...] = field(default=(), repr=False)
    live: tuple[int, ...] = field(default=(), repr=False)
    lower_bound: int = 0
    persistent: Band | None = None
    transient: int = 0
    upper: int | None = None

    def __post_init__(self) -> None:
        if self.exact and self.upper is None:
            object.__setattr__(self, "upper", self.size)

    @property
    def arena(self) -> Band | None:
        """
        The smallest arena in which the runtime comes up; None where it is not known.

        Its high end counts *upper*; where that is None, it is of *size* and may be passed.
        """
        if self.persistent is None:
            return None
        band, most = self.persistent, max(self.size, self.upper or 0)
        return Band(
            value=band.value + max(self.size, self.transient),
            low=band.low + self.size,
            high=band.high + max(most, self.transient),
        )

    @property
    def peak(self) -> int:
        """The step with the most bytes in use; the first of several."""
        return self.live.index(max(self.live)) if self.live else 0

    def at(self, step: int) -> tuple[Allocation, ...]:
        """What is in use at *step*, largest first."""
        alive = (a for a in self.allocations if a.buffer.first <= step <= a.buffer.last)
        return tuple(sorted(alive, key=lambda a: -a.buffer.size))
