"""The channels of a model followed through its graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_edgebudget.facts import Array
from pytest_edgebudget.surgery.channels import Channels
from pytest_edgebudget.surgery.kinds import KINDS, Given, mixes
from pytest_edgebudget.surgery.rebuild import Call, Model, calls


@dataclass(frozen=True, slots=True)
class Ends:
    """The channels that a layer takes (of its first input) and gives."""

    taken: Array
    given: Array


@dataclass(frozen=True, slots=True)
class Traced:
    """
    What is known of a model's channels.

    Attributes:
        ends: per known layer with weights or a shape of its own.
        notes: sentences about layers whose channels are left whole.
    """

    channels: Channels
    ends: dict[str, Ends]
    notes: tuple[str, ...]


def trace(model: Model) -> Traced:
    """Follow the channels of a flat functional *model*; inputs and outputs stay whole."""
    inputs, found, outputs = calls(model)
    tracer = _Tracer()
    for tensor in inputs:
        tracer.known[id(tensor)] = tracer.frozen(tensor)
    for call in found:
        tracer.follow(call)
    last = {id(tensor) for tensor in outputs}
    for call in found:
        if id(call.outputs[0]) not in last:
            tracer.note_mixed(call)
    for tensor in outputs:
        tracer.channels.freeze(tracer.known[id(tensor)])
    return Traced(tracer.channels, tracer.ends, tuple(dict.fromkeys(tracer.notes)))


class _Tracer:
    def __init__(self) -> None:
        self.channels = Channels()
        self.known: dict[int, Array] = {}
        self.ends: dict[str, Ends] = {}
        self.notes: list[str] = []

    def frozen(self, tensor: Any) -> Array:
        """New channels for *tensor* that nothing may cut."""
        return self.channels.new((tensor.shape[-1] or 0) if tensor.shape else 0)

    def follow(self, call: Call) -> None:
        given = tuple(self.known[id(tensor)] for tensor in call.inputs)
        if earlier := self.ends.get(call.op.name):
            result = self._once_more(call, given, earlier)
        else:
            result = self._through(call, given)
        if result is None:
            self._leave_whole(call, given)
        else:
            self.known[id(call.outputs[0])] = result

    def _through(self, call: Call, given: Given) -> Array | None:
        kind = KINDS.get(call.kind)
        if kind is None or not given or len(call.outputs) != 1:
            return None
        result = kind.flow(call, given, self.channels)
        if result is not None:
            self.ends[call.op.name] = Ends(given[0], result)
        return result

    def _once_more(self, call: Call, given: Given, earlier: Ends) -> Array | None:
        """A layer with two places in the graph has the same channels at both."""
        if call.kind not in KINDS or len(given) != 1 or len(given[0]) != len(earlier.taken):
            return None
        if not KINDS[call.kind].cuts and call.kind not in ("Flatten", "Reshape"):
            return KINDS[call.kind].flow(call, given, self.channels)
        self.channels.tie(given[0], earlier.taken)
        return earlier.given

    def note_mixed(self, call: Call) -> None:
        """A hidden layer whose activation looks at all its channels, as softmax does."""
        made = self.channels.makers.get(call.op.name)
        if made is not None and bool(self.channels.frozen(made).all()) and mixes(call.op):
            self.notes.append(f"channels of {call.op.name} ({_activation(call.op)}) are left whole")

    def _leave_whole(self, call: Call, given: Given) -> None:
        # What it gave at another place must stay too, and its input with it.
        earlier = self.ends.pop(call.op.name, None)
        concerned = [*given, *((earlier.taken, earlier.given) if earlier else ())]
        frozen = [self.channels.freeze(numbers) for numbers in concerned]
        made = self.channels.makers.pop(call.op.name, np.array([], dtype=np.int64))
        self.channels.freeze(made)
        for tensor in call.outputs:
            self.known[id(tensor)] = self.frozen(tensor)
        kind = call.kind.removeprefix("ops.")
        if getattr(call.op, "groups", 1) != 1:
            kind = f"{kind} of {call.op.groups} groups"
            self.notes.append(f"channels into and of {call.op.name} ({kind}) are left whole")
        elif any(frozen):
            self.notes.append(f"channels into {call.op.name} ({kind}) are left whole")


def _activation(layer: Any) -> str:
    return str(getattr(layer.activation, "__name__", "") or type(layer.activation).__name__)
