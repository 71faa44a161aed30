"""All metrics, passes, profiles and reports of a run: built-in and from hooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_edgebudget.devices.base import Way
from pytest_edgebudget.metrics.base import Metric
from pytest_edgebudget.passes.base import Pass


@dataclass(frozen=True, slots=True)
class Registry:
    """
    What a budget file may name.

    *profiles* maps names to their TOML files; *ways* are the ways to run that
    extensions add to `devices.ways.WAYS`.
    """

    metrics: Mapping[str, Metric]
    passes: Mapping[str, Pass]
    profiles: Mapping[str, Path]
    ways: Mapping[str, Way] = field(default_factory=dict)
