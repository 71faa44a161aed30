"""Which channels of a network belong together: cut one and all of them go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pytest_edgebudget.facts import Array


@dataclass(slots=True)
class Channels:
    """
    Numbers for channels, and what ties them.

    A tensor's channels are a vector of numbers along its last axis. An addition ties
    two of them, a flatten repeats them, a convolution makes new ones.

    Attributes:
        makers: per layer that makes channels, their numbers.
    """

    makers: dict[str, Array] = field(default_factory=dict)
    _parents: list[int] = field(default_factory=list)
    _frozen: set[int] = field(default_factory=set)

    def new(self, count: int, maker: str = "") -> Array:
        """So many new channels, those that the layer *maker* makes; by nobody: frozen."""
        start = len(self._parents)
        self._parents.extend(range(start, start + count))
        made = np.arange(start, start + count)
        if maker:
            self.makers[maker] = made
        else:
            self.freeze(made)
        return made

    def tie(self, left: Array, right: Array) -> None:
        """Channels at the same place of both vectors live and die together."""
        for a, b in zip(self.roots(left), self.roots(right), strict=True):
            one, other = sorted((self._root(int(a)), self._root(int(b))))
            self._parents[other] = one

    def freeze(self, numbers: Array) -> bool:
        """Never cut these; returns whether any of them could be cut before."""
        new = not bool(self.frozen(numbers).all())
        self._frozen.update(int(root) for root in self.roots(numbers))
        return new

    def frozen(self, numbers: Array) -> Array:
        """Per channel, whether it stays."""
        frozen = [self._root(number) for number in self._frozen]
        found: Array = np.isin(self.roots(numbers), frozen)
        return found

    def roots(self, numbers: Array) -> Array:
        """Per channel, the number that stands for all that are tied to it."""
        unique, places = np.unique(numbers, return_inverse=True)
        roots: Array = np.array([self._root(int(number)) for number in unique], dtype=np.int64)
        found: Array = roots[places.reshape(-1)]
        return found

    def _root(self, number: int) -> int:
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def groups(self) -> tuple[Array, ...]:
        """
        The channels that may be cut, in groups of the same makers.

        The result of ``a + concatenate([b, c])`` has two groups: channels that a and b
        make, and channels that a and c make.
        """
        makers: dict[int, dict[str, None]] = {}
        for name, numbers in self.makers.items():
            for root, frozen in zip(self.roots(numbers), self.frozen(numbers), strict=True):
                if not frozen:
                    makers.setdefault(int(root), {})[name] = None
        groups: dict[tuple[str, ...], list[int]] = {}
        for root, names in sorted(makers.items()):
            groups.setdefault(tuple(names), []).append(root)
        return tuple(np.array(roots) for roots in groups.values())

    def chosen(
        self, scores: Mapping[int, float], fraction: float, multiple: int = 1
    ) -> frozenset[int]:
        """
        The least important channels: *fraction* of each group, rounded down.

        What is left of a group is a multiple of *multiple*, never nothing.
        """
        cut: set[int] = set()
        for roots in self.groups():
            left = len(roots) - int(len(roots) * fraction + 1e-9)
            left = max(1, -(-left // multiple)) * multiple
            worst = sorted(map(int, roots), key=lambda root: (scores.get(root, 0.0), -root))
            cut.update(worst[: max(0, len(roots) - left)])
        return frozenset(cut)

    def kept(self, numbers: Array, cut: Iterable[int]) -> Array:
        """The places in a vector of channels that stay when the roots *cut* go."""
        return np.flatnonzero(~np.isin(self.roots(numbers), list(cut)))
