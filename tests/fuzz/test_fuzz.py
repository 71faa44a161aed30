"""No file makes a reader, a count or a plan fail, stall or bloat."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import targets

HERE = Path(__file__).parent
RUNS = {
    "tflite-read": 40_000,
    "onnx-read": 20_000,
    "tflite-use": 20_000,
    "onnx-use": 10_000,
    "tflite-lint": 5_000,
    "onnx-lint": 5_000,
}
"""About ten seconds each on a slow core; `make fuzz` runs for as long as one likes."""

SEEDS = [(target, path) for target in targets.TARGETS for path in targets.seeds(target)]


@pytest.mark.parametrize(("target", "path"), SEEDS, ids=[f"{t}-{p.name}" for t, p in SEEDS])
def test_each_seed_is_read_or_refused_in_time(target: str, path: Path) -> None:
    targets.timed(target, path.read_bytes())


def test_the_seeds_are_few_and_small() -> None:
    sizes = [path.stat().st_size for path in targets.CORPUS.glob("*/*")]
    assert 10 <= len(sizes) <= 60
    assert max(sizes) < 4096


def test_the_seeds_are_what_their_script_writes(tmp_path: Path) -> None:
    for name in ("ai_edge_litert", "flatbuffers", "onnx"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    script = [sys.executable, str(HERE / "make_corpus.py"), str(tmp_path)]
    subprocess.run(script, check=True, timeout=60)
    written = {str(path.relative_to(tmp_path)): path for path in tmp_path.glob("*/*")}
    # Another version of onnx or flatbuffers may lay out the same model differently.
    for name, path in written.items():
        if path.suffix != ".bin":
            format_ = path.suffix[1:]
            fresh = targets.read(path.read_bytes(), format_)
            committed = targets.read((targets.CORPUS / name).read_bytes(), format_)
            assert fresh is not None
            assert fresh == committed, f"{name}: run python tests/fuzz/make_corpus.py"


@pytest.mark.slow
@pytest.mark.parametrize("target", targets.TARGETS)
def test_fuzzing_finds_nothing(target: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed (it is for Linux)")
    # Behind a shell that stays: the kernel hands a process's largest memory to the program that
    # it becomes, and libFuzzer would take that of a large pytest process for its own.
    command = ["sh", "-c", '"$@"; exit $?', "sh"]
    command += [sys.executable, str(HERE / "fuzz.py"), target, str(tmp_path / "work")]
    command += [f"-runs={RUNS[target]}", "-seed=1"]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-4000:]
    assert f"Done {RUNS[target]} runs" in done.stderr
