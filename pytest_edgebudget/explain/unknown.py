"""What to say of a word that names nothing: a path that was meant, the nearest name, the lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.lint.select import codes_near
from pytest_edgebudget.paths import exists, is_file, is_folder

_MODELS = (".tflite", ".onnx")
_SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
_CODE = re.compile(r"EB\d+", re.IGNORECASE)
_EXPORT = (
    "it is exported to .tflite first: put it into a budget file, and"
    " `edgebudget check --artifacts DIR` writes what it becomes"
)
_LISTS = (
    "explain takes a .tflite or .onnx file, a metric, a recipe, a rule or a profile:"
    " `edgebudget explain metrics`, `passes` and `rules` and `edgebudget devices` list them"
)


def unknown(name: str, known: Sequence[str], codes: Sequence[str]) -> EdgeBudgetError:
    """The error for *name*, which is none of *known*, no code of *codes* and no model file."""
    path = Path(name)
    if is_folder(path):
        return _folder(path)
    if exists(path):
        return EdgeBudgetError(f"{name}: not a regular file", "a .tflite or .onnx file is meant")
    files = [f"{path}{suffix}" for suffix in _MODELS if name and is_file(Path(f"{path}{suffix}"))]
    if files:
        return EdgeBudgetError(f"there is no file {name}", f"did you mean {' or '.join(files)}?")
    if "/" in name or "\\" in name:
        return EdgeBudgetError(f"there is no file {name}", _LISTS)
    if _CODE.fullmatch(name):
        return EdgeBudgetError(f"there is no rule {name.upper()}", codes_near(name.upper(), codes))
    folded = {each.lower(): each for each in known}
    near = [folded[each] for each in get_close_matches(name.lower(), folded, 3, 0.75)]
    if len(name) > 2:
        near = near or [each for each in known if name.lower() in each.lower()][:4]
    hint = f"did you mean {' or '.join(near)}?" if near else _LISTS
    return EdgeBudgetError(f"there is no metric, pass, rule or profile {name}", hint)


def _folder(path: Path) -> EdgeBudgetError:
    if any(is_file(path / file) for file in _SAVED_MODEL):
        return EdgeBudgetError(f"{path}: a SavedModel, which no device runs as it is", _EXPORT)
    hint = "name one model; `edgebudget lint` looks at all of a folder"
    return EdgeBudgetError(f"{path}: a folder", hint)
