"""``package.module:function`` to the function."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_edgebudget.errors import BuildError


def resolve(reference: str, file: Path | None = None) -> Callable[..., Any]:
    """
    Return the function that *reference* ("module:qualname") names.

    *file* is where the module was defined: several ``conftest.py`` share one
    module name, and only their file tells them apart.

    Raises:
        BuildError: no such module, or no such function in it.
    """
    module_name, _, name = reference.partition(":")
    module = _from_file(module_name, file) if file else _by_name(module_name)
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            raise _no_function(module_name, name, module)
        value = getattr(value, part)
    if not callable(value):
        raise BuildError(f"{name} in {module_name} is not a function")
    return value  # type: ignore[no-any-return]


def _by_name(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise BuildError(
            f"there is no module {name}", "modules are looked for from pytest's root folder"
        ) from None


def _from_file(name: str, file: Path) -> ModuleType:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        module = None
    found = getattr(module, "__file__", None)
    if module is not None and found and Path(found).resolve() == file.resolve():
        return module
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise BuildError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _no_function(module: str, name: str, where: ModuleType) -> BuildError:
    close = difflib.get_close_matches(name, dir(where), n=1)
    hint = f"did you mean {close[0]}?" if close else f"it has to be defined in {module}"
    return BuildError(f"there is no {name} in {module}", hint)
