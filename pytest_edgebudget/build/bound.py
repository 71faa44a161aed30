"""A step of a recipe and the pass that it names."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_edgebudget.build import keys
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.jobs import JSON
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.types import Step

CALIBRATION = "x_calibration"


@dataclass(frozen=True, slots=True)
class Bound:
    """A step and the pass that it names."""

    step: Step
    chosen: Pass

    def reference(self) -> JSON:
        """How the child process finds the function."""
        function = self.chosen.apply
        name = getattr(function, "__qualname__", "<")
        if "<" in name:
            raise BuildError(
                f"the pass {self.chosen.name} is not a function at the top of a module",
                "it has to be importable: it runs in a process of its own",
            )
        file = keys.source_file(function)
        return {
            "name": self.step.name,
            "args": list(self.step.args),
            "options": [[key, value] for key, value in self.step.options],
            "function": f"{function.__module__}:{name}",
            "file": str(file) if file else "",
        }
