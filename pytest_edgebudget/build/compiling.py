"""Steps that compile for one chip: the last of their recipe, and run by what they got."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes.base import Pass
from pytest_edgebudget.store import Store
from pytest_edgebudget.store.files import digest
from pytest_edgebudget.types import Profile


def check_last(chosen: Sequence[Pass]) -> None:
    """Raises BuildError where another step comes behind one that compiles."""
    for early in chosen[:-1]:
        if early.compiles:
            raise BuildError(
                f"{early.name} compiles for one chip, and nothing can be done with its result",
                f"make {early.name} the last step of the recipe",
            )


def facts(target: Profile | None) -> dict[str, str]:
    """What a compiler is told of the device; part of the artifact's key in the cache."""
    if target is None:
        return {"profile": "none"}
    return {
        "profile": target.name,
        "accelerator": target.accelerator,
        "vela_system": target.vela_system,
        "vela_memory": target.vela_memory,
        "vela_config": target.vela_config,
        "vela_config_sha256": digest(Path(target.vela_config)) if target.vela_config else "",
    }


def keep(model: Path, store: Store) -> Path:
    """The model before it was compiled, in the cache."""
    _, place = store.put_file(model, model.suffix)
    return place
