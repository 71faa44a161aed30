"""
Start the worker: ``python -E -B <this folder>``.

The folder becomes a package of its own, and leaves ``sys.path``: no file of
ours can stand in for a library of the same name.
"""

import importlib.util
import sys
from pathlib import Path


def _import_folder(folder: Path) -> None:
    spec = importlib.util.spec_from_file_location(
        "edgebudget_worker", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["edgebudget_worker"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != here]
    _import_folder(here)
    importlib.import_module("edgebudget_worker.confine").confine()
    importlib.import_module("edgebudget_worker.server").main()
