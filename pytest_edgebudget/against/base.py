"""A model as it was at a git reference, built by the recipe that its lock named then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_edgebudget.budget import read_budget
from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.build import build, source_artifact
from pytest_edgebudget.data import DataFile, load_data
from pytest_edgebudget.devices import Device
from pytest_edgebudget.devices.runtimes import trial_runtime
from pytest_edgebudget.errors import EdgeBudgetError, MissingExtra
from pytest_edgebudget.fit import Fit
from pytest_edgebudget.lock import read_lock
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.registry import Registry
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, ModelBudget, Recipe, Source


class NoBase(EdgeBudgetError):
    """There is nothing to compare with, in one sentence: the limit is unmeasured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """A model of the past: *artifact*, made of *source*, and the *model*'s tables then."""

    artifact: Artifact
    source: Artifact
    model: ModelBudget
    data: DataFile | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """
    The project as it was, in *root*, and as it is *now*; *shown* names it in messages.

    *device* and *passes* are those of now: one runtime runs both models.
    """

    root: Path
    now: Path
    shown: str
    registry: Registry
    store: Store
    say: Callable[[str], None]

    def model(self, budget: str, fit: Fit, device: Device) -> BaseModel:
        """
        The model of *fit* in the budget file *budget* (relative to the root).

        Its recipe is that of the lock beside it; without one, what the new model
        got. Data that git does not keep are those of now. Raises `NoBase` with a sentence.
        """
        name = fit.model.name
        try:
            return self._model(self.root / budget, fit, device)
        except (NoBase, MissingExtra):
            raise
        except EdgeBudgetError as error:
            first = error.message.replace(f"{self.root}/", "").strip().splitlines()[0]
            raise NoBase(f"{name} at {self.shown} cannot be built: {first}") from error

    def _model(self, path: Path, fit: Fit, device: Device) -> BaseModel:
        name = fit.model.name
        if not path.is_file():
            raise NoBase(f"{self.shown} has no budget file {path.relative_to(self.root)}")
        budget = read_budget(path, self.registry, root=self.root)
        model = next((model for model in budget.models if model.name == name), None)
        if model is None:
            raise NoBase(f"{path.name} of {self.shown} has no model {name}")
        entry = read_lock(path).entries.get(name)
        recipe = _recipe(entry.recipe, self.registry.passes) if entry else fit.artifact.recipe
        source = source_artifact(model, formats=device.formats, root=self.root, store=self.store)
        data = self._data(model.data)
        self.say(f"{name}: {recipe}: building {self.shown}")
        artifact = build(
            recipe,
            source,
            passes=self.registry.passes,
            data=data,
            runtime=trial_runtime(device.runtime_for(source.format)),
            target=device.choice.profile,
            root=self.root,
            store=self.store,
        )
        return BaseModel(artifact=artifact, source=source, model=model, data=data)

    def _data(self, source: Source | None) -> DataFile | None:
        if source is None:
            return None
        if isinstance(source, Path) and not source.exists() and source.is_relative_to(self.root):
            source = self.now / source.relative_to(self.root)
        return load_data(source, root=self.root, store=self.store)


def _recipe(text: str, passes: Mapping[str, Pass]) -> Recipe:
    try:
        return parse_recipe(text, passes)
    except ValueError as error:
        raise NoBase(f"the lock's recipe {text} cannot be made any more: {error}") from error
