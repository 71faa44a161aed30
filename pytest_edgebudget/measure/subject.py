"""What is measured, where, and on which samples: one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_edgebudget.data import DataFile
from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.base import Samples
from pytest_edgebudget.types import Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """
    An artifact on a device, with the samples to run.

    Attributes:
        data, split, first: the samples; *data* is None where there are none,
            *first* None for all of them.
        source: the model that the artifact was made from, to compare with.
        state: "reset" between samples, or "carried".
        answered: what the source answered on a split, for the next artifact made of it.
    """

    artifact: Artifact
    device: Device
    data: DataFile | None
    split: str
    first: int | None
    source: Artifact | None
    state: str
    answered: dict[tuple[str, str, int | None], Any] = field(default_factory=dict)

    @property
    def samples(self) -> Samples | None:
        """The samples to run; None where the data has none of that split."""
        if self.data is None or not self.data.has(f"x_{self.split}"):
            return None
        return Samples(path=self.data.path, split=self.split, first=self.first)
