"""The JSON Schema and the page about budget files: fresh, and of one mind with the reader."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pytest_edgebudget.budget import docs, read_budget, schema
from pytest_edgebudget.errors import BudgetError
from tests.budget.project import ONNX, TFLITE, Project

PAGE = Path(__file__).parents[2] / "docs" / "budget-file.md"

GOOD = """
extends = ["models.toml"]
[device]
profile = "raspberry-pi-4"
run = "host"
threads = 2
[defaults]
max_regression = "2%"
confidence = 0.95
[models.k]
path = "../keywords.tflite"
data = "../data.npz"
optimize = ["none", "float16", "prune(0.3)+int8"]
[models.k.budget]
size = "64 KiB"
ram = { max = "256 KiB", max_regression = "1 KiB", min_change = "1%" }
macs = "2.5 M"
latency = { max = "8 ms", evidence = ["measured", "estimated"], undecided = "fail" }
accuracy = { min = "90 %", max_drop = "1 pp", slices = "speaker", slices_min = 0.8 }
top_k = { min = 0.9, k = 3 }
mae = 0.5
wer = 0.3
[models.k.waive.size]
reason = "soon"
until = 2027-01-31
[models.k.metrics.wer]
function = "a.b:c"
better = "lower"
[groups.g]
models = ["k"]
budget = { size = { max = "1 MiB", level = "warn" } }
"""


def _plain(value: object) -> object:
    """What an editor's validator sees: dates are strings."""
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    return value.isoformat() if isinstance(value, date) else value


@pytest.fixture(scope="module")
def accepts() -> Callable[[str], bool]:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is the second reader")
    validator = jsonschema.Draft202012Validator(json.loads(schema.FILE.read_text()))
    validator.check_schema(validator.schema)
    return lambda text: bool(validator.is_valid(_plain(tomllib.loads(text))))


@pytest.fixture
def refuses(project: Project) -> Callable[[str], bool]:
    project.write("budgets/models.toml", "")
    registry = schema.built_in()

    def refuses(text: str) -> bool:
        path = project.write("budgets/schema.toml", text)
        try:
            read_budget(path, registry, root=project.root)
        except BudgetError:
            return True
        return False

    return refuses


def test_the_committed_schema_is_the_one_that_the_reader_would_generate() -> None:
    assert schema.FILE.read_text() == schema.text(schema.built_in()), (
        "run: python -m pytest_edgebudget.budget.schema"
    )


def test_the_page_about_budget_files_is_fresh() -> None:
    page = PAGE.read_text()

    assert page == docs.render(page, schema.built_in()), (
        "run: python -m pytest_edgebudget.budget.docs docs/budget-file.md"
    )


def test_schema_and_reader_accept_a_whole_file(
    accepts: Callable[[str], bool], refuses: Callable[[str], bool]
) -> None:
    assert accepts(GOOD)
    assert not refuses(GOOD)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"64 KiB"', "65536"),
        ('"64 KiB"', '"64 kb"'),
        ('"64 KiB"', '"64 ms"'),
        ('"64 KiB"', '{ max = "64 KiB", max_drop = "1 KiB" }'),
        ('"64 KiB"', '{ max = "64 KiB", slices = "room" }'),
        ('"64 KiB"', '{ max = "64 KiB", maximum = "64 KiB" }'),
        ('size = "64 KiB"', 'size = "64 KiB"\nenergy = "2 ms"'),
        ('"90 %"', "90"),
        ('"1 pp"', "0.01"),
        ('"1 KiB"', '"1 pp"'),
        ('"2.5 M"', "2.5"),
        ('"8 ms"', "0.008"),
        ('["measured", "estimated"]', "[]"),
        ('["measured", "estimated"]', '["mesured"]'),
        ("k = 3", 'k = "3"'),
        ("mae = 0.5", 'mae = "0.5"'),
        ('"none", "float16"', '"fit"'),
        ('"none", "float16"', '"none", "none"'),
        ('"prune(0.3)+int8"', '"prune(0.3"'),
        ("threads = 2", "threads = 0"),
        ('run = "host"', 'run = "emulated"'),
        ('"raspberry-pi-4"', '"raspberry-pi-9"'),
        ("confidence = 0.95", "confidence = 0.2"),
        ('max_regression = "2%"', 'max_regression = "2 KiB"'),
        ('better = "lower"', 'better = "less"'),
        ("until = 2027-01-31", ""),
        ('function = "a.b:c"', ""),
        ('max = "1 MiB", level', 'min = "1 MiB", level'),
        ('budget = { size = { max = "1 MiB", level = "warn" } }', "budget = { accuracy = 0.9 }"),
        ("[models.k.budget]", '[models."a b".budget]'),
        ("[defaults]", "[default]"),
    ],
)
def test_schema_and_reader_refuse_the_same_mistakes(
    accepts: Callable[[str], bool], refuses: Callable[[str], bool], right: str, wrong: str
) -> None:
    assert right in GOOD
    text = GOOD.replace(right, wrong, 1)

    assert refuses(text)
    assert not accepts(text)


def test_the_example_of_the_page_is_a_right_budget_file(project: Project) -> None:
    pi4, models = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)[:2]
    project.write("models/keywords.tflite", TFLITE)
    project.write("models/gestures.onnx", ONNX)
    project.write("data/keywords.npz", (project.root / "data.npz").read_bytes())
    project.write("budgets/models.toml", models)
    path = project.write("budgets/pi4.toml", pi4)

    budget = read_budget(path, schema.built_in(), root=project.root)

    assert [model.name for model in budget.models] == ["gestures", "keywords"]
    assert [limit.name for limit in budget.models[1].limits] == [
        "size",
        "download_size",
        "ram",
        "accuracy",
        "accuracy[speaker]",
        "error_rate",
    ]
