"""Whatever is in the file: a Budget, or a BudgetError, and never anything else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_edgebudget.budget import read_budget
from pytest_edgebudget.errors import BudgetError
from tests.budget.project import Project

WHOLE = b"""
extends = []
[device]
profile = "host"
run = "host"
threads = 1
runtime = "litert"
[defaults]
max_regression = "2%"
confidence = 0.95
[models.k]
path = "../keywords.tflite"
data = "../data.npz"
optimize = ["none", "prune(0.3, seed=1)+int8"]
state = "reset"
[models.k.budget]
size = "64 KiB"
ram = { max = "256 KiB", max_regression = "2%", min_change = "1 KiB" }
accuracy = { min = 0.90, max_drop = "1 pp", slices = "speaker", slices_min = 0.8 }
top_k = { min = "90 %", k = 3, level = "warn", evidence = ["host"] }
wer = 0.3
[models.k.waive.size]
reason = "soon"
until = 2027-01-31
[models.k.metrics.wer]
function = "a.b:c"
better = "lower"
[groups.g]
models = ["k"]
budget = { size = "1 MiB", macs = "1 M" }
"""
WORDS = (b'""', b"1", b"-1", b"1.5", b"nan", b"true", b"[]", b"{}", b"[[1]]", b'"x"', b'["x"]',
         b"2027-01-31", b"2027-01-31T10:00:00Z", b"10:00:00", b"{ max = 1 }", b'{ a = { b = "c" } }',
         b'"1 KiB"', b'"0 B"', b'"\\u0000"', b"[{}]", b"1" * 400, b'".."', b'"../data.npz"')  # fmt: skip

fuzzed = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _mistakes(project: Project, content: bytes) -> tuple[object, ...]:
    path = project.write("budgets/fuzz.toml", content)
    try:
        read_budget(path, project.registry, root=project.root)
    except BudgetError as error:
        return error.mistakes
    return ()


def test_the_whole_file_is_right(project: Project) -> None:
    assert _mistakes(project, WHOLE) == ()


@fuzzed
@given(content=st.binary() | st.text().map(str.encode))
def test_any_bytes_are_refused_with_a_mistake(project: Project, content: bytes) -> None:
    assert _mistakes(project, content)


@fuzzed
@given(line=st.integers(1, WHOLE.count(b"\n") - 1), word=st.sampled_from(WORDS))
def test_any_value_of_any_key_is_read_or_refused(project: Project, line: int, word: bytes) -> None:
    lines = WHOLE.split(b"\n")
    key, equals, _ = lines[line].partition(b"=")
    lines[line] = key + b" = " + word if equals else word

    assert isinstance(_mistakes(project, b"\n".join(lines)), tuple)


@fuzzed
@given(
    start=st.integers(0, len(WHOLE)),
    length=st.integers(0, 30),
    inserted=st.binary(max_size=4) | st.sampled_from(WORDS),
)
def test_any_small_damage_is_read_or_refused(
    project: Project, start: int, length: int, inserted: bytes
) -> None:
    content = WHOLE[:start] + inserted + WHOLE[start + length :]

    assert isinstance(_mistakes(project, content), tuple)


def test_reading_budgets_imports_no_numpy_and_no_runtime(project: Project) -> None:
    code = "import sys, pytest_edgebudget.budget; print(sorted(sys.modules))"
    root = Path(__file__).parents[2]

    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)

    assert run.returncode == 0, run.stderr
    loaded = set(run.stdout.replace("'", " ").replace(",", " ").split())
    assert loaded.isdisjoint({"numpy", "tensorflow", "onnx", "ai_edge_litert", "flatbuffers"})


@pytest.mark.parametrize("key", ["models.k.path", "models.k.data"])
def test_a_folder_up_is_no_model_and_no_data(project: Project, key: str) -> None:
    text = WHOLE.replace(b'"../keywords.tflite"' if "path" in key else b'"../data.npz"', b'".."')

    assert [str(m).split(": ")[1] for m in _mistakes(project, text)] == [key]
