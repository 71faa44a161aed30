"""The data of a model, from its headers: no array is read."""

from __future__ import annotations

from pathlib import Path

from pytest_edgebudget.types import ModelBudget


def data_file(model: ModelBudget):  # type: ignore[no-untyped-def]
    """
    What arrays the model's data has, as a `data.DataFile`.

    None for a function, which only a run calls, and for what is damaged: the
    run says so.
    """
    from pytest_edgebudget.data import DataFile
    from pytest_edgebudget.data.npz import read_headers
    from pytest_edgebudget.errors import ModelError

    if not isinstance(model.data, Path):
        return None
    try:
        return DataFile(model.data, "", read_headers(model.data, model.data.name))
    except (ModelError, OSError):
        return None
