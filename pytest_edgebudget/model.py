"""The fixture ``edge_model``: a user's own tests on the artifact that keeps its budget."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_edgebudget.devices.base import Device, Samples, Worker
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.facts import Predictions
from pytest_edgebudget.fit import Fit
from pytest_edgebudget.types import Artifact, Budget, ModelBudget, Reading

if TYPE_CHECKING:
    from pytest_edgebudget.facts import Array
    from pytest_edgebudget.gate import Gate


@dataclass(slots=True)
class EdgeModel:
    """
    The artifact of a model that keeps its budget.

    Attributes:
        artifact: the file (`artifact.path`), its recipe and its SHA-256.
        readings: what was read of it, by the limits' names.
    """

    artifact: Artifact
    readings: Mapping[str, Reading]
    _device: Device
    _state: str
    _ended: ExitStack
    _worker: Worker | None = field(default=None, init=False)
    _outputs: tuple[str, ...] = field(default=(), init=False)

    def predict(self, inputs: Array | Mapping[str, Array]) -> Array | dict[str, Array]:
        """
        Run the artifact on its device, sample by sample.

        Args:
            inputs: an array whose first axis is the samples, or one a name for
                a model with several inputs.

        Returns:
            Its output as floats, first axis the samples; a mapping by name
            when there are several.

        Raises:
            DeviceError, ModelError: the worker failed, or the shapes do not fit.
        """
        import numpy as np

        if why := self._device.refusal(Predictions):
            pytest.fail(f"edge_model: {why}\n  name a profile that runs models here", pytrace=False)
        worker = self._ready()
        with tempfile.TemporaryDirectory(prefix="edgebudget-") as name:
            data, out = Path(name, "data.npz"), Path(name, "out.npz")
            np.savez(data, **_named(inputs))
            worker.run(Samples(path=data, split="test"), self._state, out)
            with np.load(out, allow_pickle=False) as arrays:
                outputs: list[Array] = [arrays[key] for key in arrays.files]
        if len(outputs) == 1:
            return outputs[0]
        return dict(zip(self._outputs, outputs, strict=True))

    def _ready(self) -> Worker:
        if self._worker is None:
            worker = self._ended.enter_context(self._device.worker(self.artifact.format))
            self._outputs = worker.load(self.artifact.path).outputs
            self._worker = worker
        return self._worker


def _named(inputs: Array | Mapping[str, Array]) -> dict[str, Array]:
    if isinstance(inputs, Mapping):
        return {f"x_test/{name}": array for name, array in inputs.items()}
    return {"x_test": inputs}


@contextmanager
def edge_model_of(request: pytest.FixtureRequest, gate: Gate) -> Iterator[EdgeModel]:
    """The model that the test's marker names; fails the test when none keeps its budget."""
    chosen = _chosen(request, gate)
    if isinstance(chosen, EdgeBudgetError):
        pytest.fail(str(chosen), pytrace=False)
    budget, fit = chosen
    with ExitStack() as ended:
        yield EdgeModel(
            artifact=fit.artifact,
            readings=fit.after.readings,
            _device=gate.session.device(budget),
            _state=fit.model.state,
            _ended=ended,
        )


def _chosen(request: pytest.FixtureRequest, gate: Gate) -> tuple[Budget, Fit] | EdgeBudgetError:
    """The budget and its fitted model, or why there is none: told outside of ``except``."""
    try:
        path, name = _marked(request)
        gate.session.read((path,))
        budget = gate.session.budgets[path]
        return budget, _fit(gate, budget, _model(budget, name, path))
    except EdgeBudgetError as error:
        return error


def _marked(request: pytest.FixtureRequest) -> tuple[Path, str]:
    marker = request.node.get_closest_marker("edge_budget")
    if marker is None or len(marker.args) != 1 or set(marker.kwargs) != {"model"}:
        raise EdgeBudgetError(
            f"{request.node.nodeid}: edge_model needs a marker",
            '@pytest.mark.edge_budget("budgets/pi4.toml", model="NAME")',
        )
    path = request.config.rootpath / marker.args[0]
    if not path.is_file():
        raise EdgeBudgetError(
            f"{request.node.nodeid}: there is no budget file {path}",
            "the path starts at pytest's root folder",
        )
    return path.resolve(), marker.kwargs["model"]


def _model(budget: Budget, name: str, path: Path) -> ModelBudget:
    for model in budget.models:
        if model.name == name:
            return model
    names = ", ".join(model.name for model in budget.models)
    raise EdgeBudgetError(f"{path.name} has no model {name}; it has {names}")


def _fit(gate: Gate, budget: Budget, model: ModelBudget) -> Fit:
    fit = gate.session.fit(budget, model)
    broken = [verdict for verdict in fit.verdicts if verdict.fails]
    if broken:
        names = ", ".join(f"{v.limit.name} is {v.outcome.value}" for v in broken)
        raise EdgeBudgetError(
            f"no candidate of {model.name} keeps its budget: {names}",
            f"pytest {gate.session.name(budget.path)} says by how much and what would fix it",
        )
    if budget.lint.level == "error" and gate.session.lint_fails(budget, model):
        raise EdgeBudgetError(
            f"the linter finds errors in what {model.name} becomes",
            f"pytest {gate.session.name(budget.path)} tells them",
        )
    return fit
