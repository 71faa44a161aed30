"""Who builds and measures for a search, where it does not do so itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pytest_edgebudget.types import Artifact, Limit, Measurement, Recipe

if TYPE_CHECKING:
    from pytest_edgebudget.fit.bench import Bench


class Hands(Protocol):
    """
    Other processes or machines. Both methods may be called from several threads at once.

    They raise what `Bench.build_here` and `Bench.measure_here` raise, and `DeviceError`
    where nobody is left who could do it.
    """

    @property
    def size(self) -> int:
        """How many candidates can be looked at at the same time."""

    def build(self, bench: Bench, recipe: Recipe, *, tried: bool) -> Artifact:
        """As `Bench.build`."""

    def measure(
        self,
        bench: Bench,
        artifact: Artifact,
        limits: tuple[Limit, ...],
        split: str,
        first: int | None,
    ) -> Measurement:
        """As `Bench.measure`."""
