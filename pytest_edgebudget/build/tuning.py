"""What a step that tunes is told: how models are built, and what becomes of them later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from pytest_edgebudget.build.bound import Bound
from pytest_edgebudget.jobs import JSON
from pytest_edgebudget.store.files import digest
from pytest_edgebudget.types import Artifact, Dimension, FunctionRef, Tuning

SHAPES_STAY = frozenset({"finetune", "qat", "regularize", "sparsify"})
"""Steps that train, and leave the size to what comes behind them."""


def payload(source: Artifact, behind: Sequence[Bound]) -> dict[str, JSON]:
    """What the child process gets; *behind* are the later steps of the recipe."""
    later = _later(behind)
    return {
        "tuning": _plain(source.tuning),
        "behind": None if later is None else [bound.reference() for bound in later],
    }


def key(source: Artifact, behind: Sequence[Bound], root: Path) -> dict[str, str]:
    """What the result depends on besides, for the cache."""
    later = _later(behind)
    return {
        "tuning": json.dumps(_plain(source.tuning), sort_keys=True),
        "behind": "trained" if later is None else "+".join(str(bound.step) for bound in later),
        "function": _code(source.tuning, root),
    }


def _later(behind: Sequence[Bound]) -> list[Bound] | None:
    """The later steps that decide what the model costs; None where training decides."""
    if any(each.chosen.trains and each.step.name not in SHAPES_STAY for each in behind):
        return None
    free = [each for each in behind if not each.chosen.trains]
    return [each for each in free if not each.chosen.compiles]


def _plain(found: Tuning | None) -> dict[str, JSON] | None:
    if found is None:
        return None
    plain: dict[str, JSON] = json.loads(json.dumps(asdict(found)))
    return plain


def _code(found: Tuning | None, root: Path) -> str:
    """The digest of the function's file and of those beside it, where it lies under *root*."""
    if found is None:
        return ""
    path = root.joinpath(*found.function.module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    beside = sorted(file.parent.glob("*.py")) if file.is_file() else []
    return hashlib.sha256("".join(map(digest, beside)).encode()).hexdigest()


def read(plain: Mapping[str, object] | None) -> Tuning | None:
    """The tuning that `payload` wrote."""
    match plain:
        case {
            "function": {"module": str(module), "name": str(name)},
            "space": list(space),
            "bounds": list(bounds),
            "planner": str(planner),
            "kernels": str(kernels),
        }:
            return Tuning(
                function=FunctionRef(module, name),
                space=tuple(
                    Dimension(**{**each, "choices": tuple(each["choices"])}) for each in space
                ),
                bounds=tuple((str(metric), float(most)) for metric, most in bounds),
                planner=planner,
                kernels=kernels,
            )
    return None
