"""
Coverage-guided fuzzing of one target (see targets.py) with atheris.

    python tests/fuzz/fuzz.py TARGET FOLDER [-max_total_time=600] [more of libFuzzer]

FOLDER holds what was interesting so far, and keeps what becomes so; it starts
with the committed seeds. A find ends the run with exit code 77 or 1; libFuzzer
writes the input to FOLDER/find-... (-artifact_prefix).
"""

from __future__ import annotations

import importlib
import pkgutil
import random
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

PACKAGES = ("graph", "lint", "devices.constraints")

with atheris.instrument_imports(include=[f"pytest_edgebudget.{name}" for name in PACKAGES]):
    import targets

    from pytest_edgebudget import graph

    for module in pkgutil.iter_modules(graph.__path__, "pytest_edgebudget.graph."):
        importlib.import_module(module.name)  # those that are imported when they are needed

import mutate  # noqa: E402

SLOWER = 4.0
"""How many times as long counting the coverage may take."""


def main() -> None:
    """Fuzz until a find, or a limit of libFuzzer's."""
    target, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    change = mutate.tflite if target.startswith("tflite") else mutate.onnx

    def mutator(data: bytes, size: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.25:
            return bytes(atheris.Mutate(data, size))
        return change(data, chance)[:size]

    options = [
        "-max_len=4096",
        "-timeout=20",
        "-rss_limit_mb=500",
        "-use_value_profile=1",
        f"-artifact_prefix={folder}/find-",
        *sys.argv[3:],
        str(folder),
        str(targets.seeds(target)[0].parent),
    ]
    atheris.Setup(
        [sys.argv[0], *options],
        lambda data: targets.timed(target, data, SLOWER * targets.SECONDS),
        custom_mutator=mutator,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
