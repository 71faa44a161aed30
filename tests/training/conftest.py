"""The digits of the examples, with a cache for a whole session; programs with Keras."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.build import build
from pytest_edgebudget.jobs import run
from pytest_edgebudget.types import Artifact
from tests.build.conftest import DIGITS, Bench

PROGRAMS = Path(__file__).parent / "programs"


class School(Bench):
    """A bench with the digits' Keras model as its source; *heard* is the progress."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.heard: list[str] = []
        self.model = self.source(DIGITS / "digits.keras")

    def made(self, recipe: str, source: Artifact | None = None) -> Artifact:
        return build(
            parse_recipe(recipe, self.passes),
            source or self.model,
            passes=self.passes,
            data=self.data,
            root=self.root,
            store=self.store,
            say=self.heard.append,
        )


def need_keras() -> None:
    for name in ("tensorflow", "keras", "litert_quantizer"):
        if importlib.util.find_spec(name) is None:
            pytest.skip("pip install 'pytest-edgebudget[tensorflow,litert]'")


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    need_keras()
    return School(tmp_path_factory.mktemp("school"))


@pytest.fixture(scope="session")
def program() -> Callable[..., Any]:
    """Call a function of the folder ``programs`` in a process of its own."""
    need_keras()

    def call(function: str, **payload: Any) -> Any:
        return run(function, payload, root=PROGRAMS, timeout=900, purpose=f"running {function}")

    return call
