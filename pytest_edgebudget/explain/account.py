"""Everything that `explain` says about a model, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.explain.advice import Advice, advice
from pytest_edgebudget.explain.homes import Homes
from pytest_edgebudget.explain.pieces import stack
from pytest_edgebudget.explain.words import common_prefix, printable
from pytest_edgebudget.graph import Graph, read
from pytest_edgebudget.graph.arena import Allocation, Buffer, Plan
from pytest_edgebudget.graph.batch import OpenSizes, open_batch, open_sizes
from pytest_edgebudget.graph.cost import LayerCost, Totals, layer_costs, totals
from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.graph.memory import PLANNED
from pytest_edgebudget.graph.memory import plan as plan_memory
from pytest_edgebudget.types import Profile

if TYPE_CHECKING:
    from pytest_edgebudget.explain.time import Times

_PLANNERS = {"tflite-runtime": "litert"}
"""Runtimes that plan as another one does."""

_COMPILED = frozenset({"edgetpu-custom-op", "ethos-u"})
"""Ops that the compiler of an accelerator has put into a model."""


class NotPlanned(ModelError):
    """How *runtime* plans memory is not known: all that can be told of *graph* is its time."""

    def __init__(self, graph: Graph, runtime: str) -> None:
        super().__init__(
            f"how {runtime} plans memory is not known",
            "explain the model without --profile, or for another runtime's",
        )
        self.graph, self.runtime = graph, runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    What a model costs.

    Attributes:
        path, graph: the model.
        profile: the device that was asked for; None for none.
        costs: of each op, see `layer_costs`.
        totals: their sums.
        batch: whether a dynamic batch was taken for one.
        open_sizes: which other sizes of inputs are open; memory counts 1 for each.
        plan: where the activations lie.
        live: bytes in use while an op runs, by (subgraph, op); the most of
            several times.
        homes: which tensors lie in which buffer.
        placed: whether the runtime has places for its buffers; one that asks for
            each buffer alone has none.
        device_runtime: what runs the model, by the profile's name for it.
        compiler: the accelerator whose compiler plans the memory anew; "" for none.
        advice: what would lower the peak.
        times: what an inference takes on the profile's device; None without one.
    """

    path: Path
    graph: Graph
    profile: Profile | None
    costs: tuple[LayerCost, ...]
    totals: Totals
    batch: bool
    open_sizes: tuple[OpenSizes, ...]
    plan: Plan
    live: dict[tuple[int, int], int]
    homes: Homes = field(repr=False)
    placed: bool
    device_runtime: str
    compiler: str
    advice: tuple[Advice, ...]
    prefix: str = field(repr=False)
    times: Times | None = None

    def cost_at(self, step: int) -> LayerCost:
        """The cost of the op that runs at *step* of the plan."""
        where = self.plan.steps[step]
        before = sum(len(sub.ops) for sub in self.graph.subgraphs[: where.subgraph])
        return self.costs[before + where.op]

    def number(self, step: int) -> str:
        """What the op at *step* is called in tables and maps: its index, ``3`` or ``1.3``."""
        where = self.plan.steps[step]
        return op_number(where.subgraph, where.op)

    def at(self, step: int) -> list[Allocation]:
        """What a map shows at *step*, by address; without places: a stack."""
        if not self.placed:
            return [*stack(self.plan, step)]
        return sorted(self.plan.at(step), key=lambda a: a.offset)

    @property
    def exact(self) -> bool:
        """Whether the plan's size is that of every run."""
        return self.plan.exact and not self.open_sizes

    @property
    def runtime(self) -> str:
        """What runs the model, and its kernels where the profile names them."""
        kernels = self.profile.kernels if self.profile else ""
        return f"{self.device_runtime} with {kernels} kernels" if kernels else self.device_runtime

    def maker(self, buffer: Buffer, step: int | None = None) -> str:
        """
        The number of the op that wrote what is in a buffer at *step*, or first.

        "in" for an input of the model.
        """
        writer = self.homes.writer(buffer, buffer.first if step is None else step)
        return "in" if writer is None else self.number(writer)

    def shape(self, buffer: Buffer) -> tuple[int, ...] | None:
        """The shape of a buffer's tensor, for a batch of one."""
        tensor = self.tensor(buffer)
        shape = tensor.default_shape or tensor.shape
        return (1, *shape[1:]) if shape and shape[0] < 0 and self.batch else shape

    def tensor(self, buffer: Buffer) -> Tensor:
        """The tensor that a buffer is for; scratch has none."""
        return self.graph.subgraphs[buffer.subgraph].tensors[buffer.tensor]

    def named(self, name: str) -> str:
        """A name without what it was fused with, and what nearly all names begin with."""
        return printable(name.split(";")[0]).removeprefix(self.prefix)


def op_number(subgraph: int, op: int) -> str:
    """An op's index in the main subgraph, or ``subgraph.op`` in another."""
    return f"{subgraph}.{op}" if subgraph else str(op)


def account(path: Path, profile: Profile | None) -> Account:
    """
    Read a model, count and plan it.

    Raises ModelError when the file cannot be used, or not on that device.
    """
    graph = read(path)
    runtime = runtime_for(graph.format, profile)
    planner = _PLANNERS.get(runtime, runtime)
    if planner not in PLANNED:
        raise NotPlanned(graph, runtime)
    opened = open_sizes(graph)
    costs = layer_costs(graph)
    kernels = _kernels(profile)
    plan = plan_memory(graph, planner, kernels)
    return Account(
        path=path,
        graph=graph,
        profile=profile,
        costs=costs,
        totals=totals(costs),
        batch=bool(open_batch(graph)),
        open_sizes=opened,
        plan=plan,
        live=_live(plan),
        homes=Homes(graph, plan),
        placed=planner != "onnxruntime",
        device_runtime=runtime,
        compiler=_compiler(graph, profile),
        advice=() if opened else advice(graph, plan, kernels),
        prefix=common_prefix(printable(cost.name) for cost in costs),
        times=_times(graph, profile, runtime),
    )


def _times(graph: Graph, profile: Profile | None, runtime: str) -> Times | None:
    if profile is None:
        return None
    from pytest_edgebudget.explain.time import times  # loaded where a profile is read

    return times(graph, profile, runtime)


def runtime_for(format_: str, profile: Profile | None) -> str:
    """
    What runs the model: the profile's runtime for the format, or the format's own.

    Raises ModelError where nothing on the device runs that format.
    """
    if profile is None:
        return "litert" if format_ == "tflite" else "onnxruntime"
    from pytest_edgebudget.devices.runtimes import runtime_of

    return runtime_of(format_, profile.runtimes, profile.name)


def _compiler(graph: Graph, profile: Profile | None) -> str:
    """The accelerator for which the model would still be compiled."""
    if profile is None or any(op.custom and op.kind in _COMPILED for op in graph.ops):
        return ""
    return profile.accelerator


def _kernels(profile: Profile | None) -> str:
    if profile is None:
        return ""
    from pytest_edgebudget.devices.kernels import kernels_of  # loaded where a profile is read

    return kernels_of(profile)


def _live(plan: Plan) -> dict[tuple[int, int], int]:
    live: dict[tuple[int, int], int] = {}
    for step, size in zip(plan.steps, plan.live, strict=False):
        where = step.subgraph, step.op
        live[where] = max(size, live.get(where, 0))
    return live
