"""A model with fewer channels, its weights those of the channels that stayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.surgery.channels import Channels
from pytest_edgebudget.surgery.kinds import KINDS, Side
from pytest_edgebudget.surgery.rebuild import Layer, Model, again, rebuild
from pytest_edgebudget.surgery.trace import Ends, Traced, trace


@dataclass(frozen=True, slots=True)
class Kept:
    """Which channels of a layer's input and output stay: their places, ascending."""

    taken: Array
    given: Array


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The narrower model; *kept* by the names of its layers; sentences for the user."""

    model: Model
    kept: Mapping[str, Kept]
    notes: tuple[str, ...]


def narrow(
    model: Model, scores: Mapping[str, Array], fraction: float, *, multiple: int = 1
) -> Narrowed:
    """
    Cut the least important *fraction* of the channels of each group out of *model*.

    Args:
        model: flat and functional (see `rebuild.functional`); it is not changed.
        scores: per layer that makes channels, how important each of them is.
        fraction: 0..1; channels that are added to one another count once.
        multiple: what is left of a group is a multiple of it.

    Raises:
        BuildError: nothing can be cut.
    """
    traced = trace(model)
    cut = traced.channels.chosen(summed(traced.channels, scores), fraction, multiple)
    if not cut:
        raise BuildError(_nothing(traced, fraction, multiple), *traced.notes[:1])
    kept = {name: _kept(ends, traced, cut) for name, ends in traced.ends.items()}
    return Narrowed(_rebuilt(model, kept), kept, traced.notes)


def _nothing(traced: Traced, fraction: float, multiple: int) -> str:
    groups = traced.channels.groups()
    if not groups:
        return "the model has no channels that can be cut: only inputs, outputs and what they need"
    widest = max(len(group) for group in groups)
    return (
        f"nothing to cut: {fraction:g} of at most {widest} channels in a group, "
        f"in multiples of {multiple}, is none"
    )


def summed(channels: Channels, scores: Mapping[str, Array]) -> dict[int, float]:
    """Per channel the sum over the layers that make it, each relative to its layer's mean."""
    total: dict[int, float] = {}
    for name, numbers in channels.makers.items():
        if name not in scores:
            continue
        mean = float(np.mean(scores[name])) or 1.0
        for root, score in zip(channels.roots(numbers), scores[name], strict=True):
            total[int(root)] = total.get(int(root), 0.0) + float(score) / mean
    return total


def _kept(ends: Ends, traced: Traced, cut: frozenset[int]) -> Kept:
    return Kept(traced.channels.kept(ends.taken, cut), traced.channels.kept(ends.given, cut))


def _rebuilt(model: Model, kept: Mapping[str, Kept]) -> Model:
    def clone(layer: Layer) -> Layer:
        return (
            again(layer, **_config(layer, kept[layer.name]))
            if layer.name in kept
            else (again(layer))
        )

    new = rebuild(model, clone)
    for layer in model.layers:
        if layer.name in kept and layer.weights:
            _assign(new.get_layer(layer.name), _narrowed(layer, kept[layer.name]))
    return new


def _config(layer: Layer, kept: Kept) -> dict[str, Any]:
    """What of the layer's configuration changes."""
    kind = type(layer).__name__
    if width := KINDS[kind].width if kind in KINDS else "":
        return {width: len(kept.given)}
    if kind == "Reshape" and layer.target_shape[-1] != -1:
        return {"target_shape": (*layer.target_shape[:-1], len(kept.given))}
    return {}


def _narrowed(layer: Layer, kept: Kept) -> Iterator[tuple[str, Array]]:
    """The layer's weights by name, with the kept channels only."""
    for name, axes in KINDS[type(layer).__name__].cuts.items():
        variable = getattr(layer, name, None)
        if variable is None:
            continue
        values = np.asarray(variable)
        for axis, side in axes:
            places = _places(side, kept, layer)
            if values.shape[axis] > 1 or len(places) != 1:  # PReLU may share one over an axis
                values = np.take(values, places, axis=axis)
        yield name, values


def _places(side: Side, kept: Kept, layer: Layer) -> Array:
    if side == "in":
        return kept.taken
    if side == "out":
        return kept.given
    depth = layer.depth_multiplier
    spread: Array = kept.taken[:, None] * depth + np.arange(depth)
    return spread.reshape(-1)


def _assign(layer: Layer, weights: Iterator[tuple[str, Array]]) -> None:
    for name, values in weights:
        getattr(layer, name).assign(values)
