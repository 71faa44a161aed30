"""Fixtures for all tests: nothing outside tmp_path, real models where they are."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent

# pytest loads this file for the demo, too, whose environment has no hypothesis.
with contextlib.suppress(ModuleNotFoundError):
    from hypothesis import settings

    # The same examples in every run: a red run can be repeated, a green one is no luck.
    settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
    settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def reference_models() -> Path:
    """The folder of real models (EDGEBUDGET_MODELS, or ../shared/models), or skip."""
    folder = Path(os.environ.get("EDGEBUDGET_MODELS", ROOT.parent / "shared" / "models"))
    if not folder.is_dir():
        pytest.skip(
            f"the reference models are not at {folder}; EDGEBUDGET_MODELS names their folder"
        )
    return folder
