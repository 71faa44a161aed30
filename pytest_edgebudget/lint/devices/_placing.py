"""What the rules of devices share: placements computed once, and words."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable

from pytest_edgebudget.devices.constraints import Table, Violation, refusals, table_of
from pytest_edgebudget.devices.placement import Placed, placed
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.graph.ir import Op
from pytest_edgebudget.lint.base import OnDevice
from pytest_edgebudget.types import Profile

COMPILED = frozenset({"ethos-u", "edgetpu-custom-op"})
"""Custom operators that a compiler for an accelerator leaves in a model."""


def accelerator_of(profile: Profile) -> Table | None:
    """The table of the accelerator; None without one."""
    return table_of(profile.accelerator)


def kernels_of(profile: Profile) -> Table | None:
    """The table of the fast kernels; None where no table is known, or an accelerator is there."""
    return None if profile.accelerator else table_of(profile.kernels)


@functools.lru_cache(maxsize=1)  # the rules ask one after the other
def on_accelerator(device: OnDevice) -> tuple[Placed, ...]:
    """Where each operator runs; empty without an accelerator."""
    table = accelerator_of(device.profile)
    return placed(device.model.graph, table) if table else ()


def is_used(placement: Iterable[Placed]) -> bool:
    """Whether the accelerator runs any operator."""
    return any(each.on and not each.gone for each in placement)


def runtime_for(profile: Profile, format_: str) -> str:
    """The profile's runtime for models of that format; "" where there is none."""
    fitting = (name for name in profile.runtimes if format_ in RUNTIMES[name].formats)
    return next(fitting, "")


@functools.lru_cache(maxsize=1)
def refused(device: OnDevice) -> tuple[tuple[Op, Violation], ...]:
    """
    Operators of all subgraphs that the runtime does not run, each with its first reason.

    Without those that an accelerator takes. Where there is one, the model does not
    start: what is true of its memory and of its speed is not worth saying.
    """
    table = table_of(runtime_for(device.profile, device.model.graph.format))
    if table is None or table.rest:
        return ()
    taken = {id(each.op) for each in on_accelerator(device) if each.on}
    found = refusals(table, device.model.graph)
    return tuple((op, reason) for op, reason in found if id(op) not in taken)


def counted(device: OnDevice) -> bool:
    """Whether the multiply-accumulates of all operators are known."""
    return all(cost.macs is not None for cost in device.model.costs)


def macs(device: OnDevice, operators: Iterable[Placed]) -> float:
    """Their share of the model's multiply-accumulates; 0 where there are none."""
    costs = device.model.costs
    total = sum(cost.macs or 0 for cost in costs)
    part = sum(costs[each.index].macs or 0 for each in operators)
    return part / total if total else 0.0


def share_of(device: OnDevice, operators: Iterable[Placed]) -> str:
    """Their share in words; "" where they have none."""
    part = macs(device, operators)
    known = "" if counted(device) else " that can be counted"
    return f"{share(part)} of the multiply-accumulates{known}" if part else ""


def share(value: float) -> str:
    """A share in percent: "12 %", "0.3 %"."""
    percent = 100 * value
    return f"{percent:.0f} %" if percent >= 1 or not percent else f"{percent:.1g} %"


def kinds(ops: Iterable[Op], most: int = 4) -> str:
    """The operators by kind, the most frequent first: "2 QUANTIZE, SOFTMAX and 3 more"."""
    found = Counter(op.kind for op in ops).most_common()
    words = [kind if number == 1 else f"{number} {kind}" for kind, number in found[:most]]
    rest = sum(number for _, number in found[most:])
    return ", ".join(words) + (f" and {rest} more" if rest else "")


def name_of(op: Op) -> str:
    """The operator as the model names it."""
    return op.name.split(";")[0]
