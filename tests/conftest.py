"""Fixtures for all tests: nothing outside tmp_path, real models where they are."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.pytester import SysModulesSnapshot

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent

# pytest loads this file for the demo, too, whose environment has no hypothesis.
with contextlib.suppress(ModuleNotFoundError):
    from hypothesis import settings

    # The same examples in every run: a red run can be repeated, a green one is no luck.
    settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
    settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def libraries_are_imported_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """
    What a test imports stays imported, unless it is a file of the test's own.

    pytester forgets all that was imported meanwhile, and numpy and its like crash a process
    that imports them again.
    """
    restore, temporary = SysModulesSnapshot.restore, str(tmp_path_factory.getbasetemp())

    def kept(self: SysModulesSnapshot) -> None:
        lasting = {
            name: module
            for name, module in list(sys.modules.items())
            if not str(getattr(module, "__file__", "")).startswith(temporary)
        }
        restore(self)
        sys.modules.update(lasting)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SysModulesSnapshot, "restore", kept)
        yield


@pytest.fixture(scope="session")
def reference_models() -> Path:
    """The folder of real models (EDGEBUDGET_MODELS, or ../shared/models), or skip."""
    folder = Path(os.environ.get("EDGEBUDGET_MODELS", ROOT.parent / "shared" / "models"))
    if not folder.is_dir():
        pytest.skip(
            f"the reference models are not at {folder}; EDGEBUDGET_MODELS names their folder"
        )
    return folder
