"""Sources, data and passes to build with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_edgebudget.build import build, source_artifact
from pytest_edgebudget.data import DataFile, load_data
from pytest_edgebudget.errors import Place
from pytest_edgebudget.passes import BUILT_IN
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, ModelBudget, Recipe, Source, Step

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
PASSES = {item.name: item for item in BUILT_IN}


def recipe_of(*steps: str | Step) -> Recipe:
    return Recipe(tuple(step if isinstance(step, Step) else Step(step) for step in steps))


def model_of(source: Source) -> ModelBudget:
    return ModelBudget(name="digits", source=source, place=Place(Path("budget.toml"), 1))


class Bench:
    """A folder to work in, with a cache, the digits data, and passes of one's own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = Store(root / "cache", limit=1 << 30)
        self.passes: dict[str, Pass] = dict(PASSES)
        self.data: DataFile | None = self.load(DIGITS / "data.npz")

    def load(self, path: Path) -> DataFile:
        return load_data(path, root=self.root, store=self.store)

    def source(self, source: Source, *formats: str) -> Artifact:
        formats = formats or ("tflite", "onnx")
        return source_artifact(model_of(source), formats=formats, root=self.root, store=self.store)

    def digits(self, suffix: str = ".tflite") -> Artifact:
        return self.source(DIGITS / f"digits{suffix}")

    def build(
        self, *steps: str | Step, source: Artifact | None = None, runtime: str | None = None
    ) -> Artifact:
        return build(
            recipe_of(*steps),
            source or self.digits(),
            passes=self.passes,
            data=self.data,
            root=self.root,
            store=self.store,
            runtime=runtime,
        )

    def own_pass(self, name: str, body: str, *, check: str = "") -> None:
        """A pass in a module of the user's: *body* is the text of its function."""
        module = self.root / f"{name}_pass.py"
        module.write_text(f"import os, shutil\n\ndef apply(job):\n    {body}\n")
        namespace: dict = {"__name__": f"{name}_pass"}
        exec(compile(module.read_text(), str(module), "exec"), namespace)
        self.passes[name] = Pass(
            name=name,
            apply=namespace["apply"],
            check=lambda before, after, step: check,
            formats=frozenset({"tflite"}),
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    pytest.importorskip("litert_quantizer", reason="pip install 'pytest-edgebudget[litert]'")
    return Bench(tmp_path)


@pytest.fixture
def no_jobs(monkeypatch: pytest.MonkeyPatch):
    """From when it is called, starting a process is a failure."""

    def forbid() -> None:
        def refuse(*args: object, **options: object) -> None:
            raise AssertionError("a process was started")

        for module in ("recipes", "sources"):
            monkeypatch.setattr(f"pytest_edgebudget.build.{module}.run", refuse)

    return forbid


def copied(path: Path, folder: Path) -> Path:
    return Path(shutil.copy(path, folder))
