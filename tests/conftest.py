"""Fixtures for all tests: nothing outside tmp_path, real models where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent

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
