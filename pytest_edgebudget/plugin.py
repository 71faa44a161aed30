"""
pytest hooks only; every body is short, all work is in `session` and `items`.

Nothing here imports more than pytest itself until budgets are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_edgebudget import hookspec
from pytest_edgebudget.options import INI, add_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_edgebudget.gate import Gate
    from pytest_edgebudget.model import EdgeModel

GATE: pytest.StashKey[Gate] = pytest.StashKey()


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make our hooks known."""
    pluginmanager.add_hookspecs(hookspec)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the ini key."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Start the gate when budgets are asked for."""
    config.addinivalue_line(
        "markers",
        "edge_budget(path, model): the budget whose model the fixture edge_model is",
    )
    if _asked(config):
        from pytest_edgebudget.gate import Gate

        config.stash[GATE] = Gate(config)
        config.pluginmanager.register(config.stash[GATE], "edgebudget-gate")


def _asked(config: pytest.Config) -> bool:
    return bool(
        config.getoption("--edge-budget")
        or config.getini(INI)
        or any(".toml" in arg for arg in config.args)
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what the gate started."""
    if gate := config.stash.get(GATE, None):
        gate.close()
        del config.stash[GATE]


@pytest.fixture
def edge_model(request: pytest.FixtureRequest) -> Iterator[EdgeModel]:
    """The artifact that keeps its budget, by the marker ``edge_budget(path, model=...)``."""
    from pytest_edgebudget.gate import Gate
    from pytest_edgebudget.model import edge_model_of

    config = request.config
    if GATE not in config.stash:
        config.stash[GATE] = Gate(config)
    with edge_model_of(request, config.stash[GATE]) as model:
        yield model
