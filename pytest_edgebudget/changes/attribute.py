"""A difference between two versions of a model, layer by layer: the parts add up to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from pytest_edgebudget.changes.match import Match
from pytest_edgebudget.changes.nodes import Node, Shape, plain_name
from pytest_edgebudget.changes.smallest import ordered, smallest
from pytest_edgebudget.changes.split import Split
from pytest_edgebudget.types import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """
    What one layer, or something that is no layer, makes of the difference.

    *name*, *kind*: of the layer in the new version, or in the old where it is
    gone; *kind* is "" for what is no layer. *what*: how the layer changed, in
    words ("added", "removed", "16x3x3x8 -> 32x3x3x8", "float32 -> int8"); "" where only its
    share did. *before*, *after*: its shares.
    """

    name: str
    kind: str
    what: str
    before: float
    after: float

    @property
    def value(self) -> float:
        """How much more it takes now."""
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """
    Two versions of a metric, compared: the pieces that changed, the largest first.

    *enough* of them, from the first, explain 90 % of *total* (`smallest`).
    """

    pieces: tuple[Piece, ...]
    before: float
    after: float
    enough: int
    evidence: Evidence

    @property
    def total(self) -> float:
        """How much more it is now."""
        return self.after - self.before


def attribute(before: Split, after: Split, matched: Match) -> Attribution:
    """The difference of two splits, by the layers of *matched*."""
    found = [*_layers(before, after, matched), *_rest(before, after)]
    pieces = [piece for piece in found if piece.value]
    values = [piece.value for piece in pieces]
    order = ordered(values)
    estimated = Evidence.ESTIMATED in (before.evidence, after.evidence)
    return Attribution(
        pieces=tuple(pieces[place] for place in order),
        before=before.whole,
        after=after.whole,
        enough=smallest([values[place] for place in order]),
        evidence=Evidence.ESTIMATED if estimated else Evidence.EXACT,
    )


def _layers(before: Split, after: Split, matched: Match) -> Iterator[Piece]:
    for old, new in matched.pairs:
        shares = before.parts.get(old.where, 0.0), after.parts.get(new.where, 0.0)
        yield _piece(new, difference(old, new), *shares)
    for node in matched.removed:
        yield _piece(node, "removed", before.parts.get(node.where, 0.0), 0.0)
    for node in matched.added:
        yield _piece(node, "added", 0.0, after.parts.get(node.where, 0.0))


def _piece(node: Node, what: str, before: float, after: float) -> Piece:
    return Piece(name=node.name, kind=node.kind, what=what, before=before, after=after)


def _rest(before: Split, after: Split) -> Iterator[Piece]:
    for name in dict.fromkeys(chain(before.rest, after.rest)):
        yield Piece(
            name=name,
            kind="",
            what="",
            before=before.rest.get(name, 0.0),
            after=after.rest.get(name, 0.0),
        )


def difference(old: Node, new: Node) -> str:
    """How a layer changed, in words; empty where it did not."""
    words = []
    if old.weights != new.weights:
        words.append(_shapes(old.weights, new.weights))
    elif old.shape != new.shape:
        words.append(f"output {_shown(old.shape)} -> {_shown(new.shape)}")
    if old.dtype != new.dtype:
        words.append(f"{old.dtype or 'no constant'} -> {new.dtype or 'no constant'}")
    if old.kind != new.kind:
        words.append(f"{old.kind} -> {new.kind}")
    if not words and plain_name(old.name) != plain_name(new.name):
        words.append(f"was {old.name}")
    return ", ".join(words)


def _shapes(old: Iterable[Shape], new: Iterable[Shape]) -> str:
    """The first constant that differs: weights before biases."""
    before, after = list(old), list(new)
    for one, other in zip(before, after, strict=False):
        if one != other:
            return f"{_shown(one)} -> {_shown(other)}"
    return f"{len(before)} -> {len(after)} constants"


def _shown(shape: Shape) -> str:
    """``16x3x3x8``; a size that is not known is a question mark."""
    if shape is None:
        return "?"
    return "x".join("?" if size < 0 else str(size) for size in shape) or "scalar"
