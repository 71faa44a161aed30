"""A broken limit in a run of the gate: what changed since the lock, and what would fix it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnx", reason="makes the nets")
pytest.importorskip("onnxruntime", reason="runs the nets")

from pytest_edgebudget.cli import main
from pytest_edgebudget.compare.changes import changes
from pytest_edgebudget.compare.load import read_report
from pytest_edgebudget.report import changed
from pytest_edgebudget.report.base import AgainstRow, ChangedRow, PieceRow
from tests.changes.nets import chain
from tests.compare.test_compare import limit, read, run

DIGITS = Path(__file__).parent.parent.parent / "examples" / "digits"
BUDGET = """\
[device]
profile = "raspberry-pi-4"
[models.m]
path = "m.onnx"
[models.m.budget]
size = { max_regression = "2 %" }
macs = { max_regression = "2 %", level = "warn" }
"""
OLD = [("a", 64), ("r", 0), ("b", 64), ("c", 4)]
NEW = [("a", 64), ("r", 0), ("b", 128), ("c", 4)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose lock holds the old net, and whose new net is wider."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEBUDGET_HISTORY", "off")
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "b.toml").write_text(BUDGET)
    chain(tmp_path / "m.onnx", OLD)
    assert main(["check", "b.toml", "--update", "--report", "json:old.json"]) == 0
    chain(tmp_path / "m.onnx", NEW)
    return tmp_path


def rows(path: Path) -> dict[str, dict[str, Any]]:
    return {row["metric"]: row for row in json.loads(path.read_text())["limits"]}


def test_the_message_names_the_layers_and_what_each_costs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["check", "b.toml", "--report", "json:new.json"]) == 1
    said = capsys.readouterr().out

    # 64 more columns of 64 floats in b, 64 more rows of 4 floats in c
    assert (
        "What changed since the lock: size +17.0 KiB; 1 of 3 changes explain 94 % of it:\n" in said
    )
    assert "\n  b  MatMul  64x64 -> 64x128  +16.0 KiB\n" in said
    found = rows(project / "new.json")
    assert found["macs"]["changed"]["pieces"][0]["after"] == 4 * 64 * 128
    assert found["size"]["fixes"][0]["kind"] == "recipe"
    assert found["size"]["fixes"][0]["enough"] == "yes"
    (undo,) = (fix for fix in found["size"]["fixes"] if fix["kind"] == "undo")
    assert undo["text"] == "b (MatMul) as it was (64x64 -> 64x128)"
    assert (undo["saves"], undo["enough"]) == (4 * 64 * 64, "no")


def test_the_json_report_is_what_its_schema_says_and_reads_back(project: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from pytest_edgebudget.report.schema import schema

    main(["check", "b.toml", "--report", "json:new.json"])
    jsonschema.validate(json.loads((project / "new.json").read_text()), schema())
    row = next(row for row in read_report(project / "new.json").limits if row.metric == "size")

    assert row.changed is not None
    assert row.after is not None
    total = sum(piece.after - piece.before for piece in row.changed.pieces)
    assert total == row.changed.after - row.changed.before
    assert row.changed.after == row.after.value == (project / "m.onnx").stat().st_size


def test_without_the_locks_artifact_it_says_that_it_is_missing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(project / ".edgebudget_cache")
    locked = json.loads((project / "b.lock.json").read_text())["models"]["m"]["artifact"]
    assert main(["check", "b.toml"]) == 1

    assert (
        "What changed since the lock cannot be told by layer: "
        f"its artifact {locked[:12]} is not in the cache of this machine\n"
    ) in capsys.readouterr().out


def test_a_model_without_a_lock_has_nothing_to_be_compared_with(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "b.lock.json").unlink()
    (project / "b.toml").write_text(BUDGET.replace("max_regression", "max").replace('"2 %"', "1", 2)
                                    .replace("size = { max = 1", 'size = { max = "1 KiB"'))  # fmt: skip
    assert main(["check", "b.toml"]) == 1

    assert "What changed" not in capsys.readouterr().out


def test_against_a_reference_it_is_the_model_of_then(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".gitignore").write_text(".edgebudget_cache\n*.json\n")
    chain(project / "m.onnx", [*OLD, ("d", 4)])
    who = ["-c", "user.name=n", "-c", "user.email=n@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "m"]):
        subprocess.run(["git", *words], check=True)
    chain(project / "m.onnx", NEW)
    assert main(["check", "b.toml", "--against", "git:main"]) == 1
    said = capsys.readouterr().out

    assert "What changed since git:main (" in said
    assert "  b  MatMul  64x64 -> 64x128  +16.0 KiB" in said


def test_the_page_and_the_comment_have_a_table_of_them(project: Path) -> None:
    words = ["--report", "html:o.html", "--report", "markdown:o.md"]
    main(["check", "b.toml", *words])
    page, comment = (project / "o.html").read_text(), (project / "o.md").read_text()

    assert "What changed since the lock: size +17.0 KiB" in page
    assert 'aria-label="size: what changed"' in page
    assert "<span>64x64 -&gt; 64x128</span>" in page
    bars = [float(each) for each in re.findall(r'width="([\d.]+)" height="5"', page)]
    assert bars[:2] == [65.0, 130.0]  # half of the weights, above all of them
    assert "- b (MatMul), 64x64 -\\> 64x128: +16.0 KiB" in comment


def test_compare_names_the_layers_of_what_became_worse(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", "b.toml", "--report", "json:new.json"])
    capsys.readouterr()
    assert main(["compare", "old.json", "new.json"]) == 0
    text = capsys.readouterr().out
    main(["compare", "old.json", "new.json", "--format", "markdown"])
    markdown = capsys.readouterr().out
    main(["compare", "new.json", "old.json"])
    better = capsys.readouterr().out

    assert (
        "m: What changed since the first run: size +17.0 KiB; 1 of 3 changes explain 94 % of it\n"
        "  b  MatMul  64x64 -> 64x128  +16.0 KiB\n"
    ) in text
    assert "| b | MatMul | 64x64 -\\> 64x128 | +16.0 KiB |" in markdown
    assert "What changed" not in better


def test_compare_says_which_artifact_is_missing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", "b.toml", "--report", "json:new.json"])
    old = json.loads((project / "old.json").read_text())["models"][0]["sha256"]
    (found,) = (project / ".edgebudget_cache" / "objects").rglob(f"{old}*")
    found.unlink()
    capsys.readouterr()
    main(["compare", "old.json", "new.json"])

    assert f"cannot be told by layer: the cache of this machine has no artifact {old[:12]}\n" in (
        capsys.readouterr().out
    )


def test_compare_does_without_a_cache_that_cannot_be_used(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", "b.toml", "--report", "json:new.json"])
    shutil.rmtree(project / ".edgebudget_cache")
    (project / ".edgebudget_cache").mkdir()
    (project / ".edgebudget_cache" / "objects").write_text("no folder")
    capsys.readouterr()

    assert main(["compare", "old.json", "new.json"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 worse"


def test_compare_makes_no_cache(project: Path, tmp_path: Path) -> None:
    shutil.copy(project / "old.json", project / "same.json")
    shutil.rmtree(project / ".edgebudget_cache")
    main(["compare", "old.json", "same.json"])

    assert not (project / ".edgebudget_cache").exists()


@pytest.mark.parametrize(
    ("values", "enough", "said"),
    [
        ([900.0, 100.0], 1, "size +1000 B; 1 of 2 changes explain 90 % of it"),
        (
            [1100.0, -60.0, -40.0],
            1,
            "size +1000 B; 1 of 3 changes are +1.07 KiB, the others -100 B",
        ),
        ([1000.0], 1, "size +1000 B, all of it in one place"),
        ([], 0, "size +0 B: the layers are as they were"),
    ],
)
def test_the_headline_says_how_much_the_named_changes_are(
    values: list[float], enough: int, said: str
) -> None:
    pieces = tuple(
        PieceRow(name=f"l{n}", kind="K", what="", before=0.0, after=value)
        for n, value in enumerate(values)
    )
    row = ChangedRow(
        since="the lock", of="size", unit="B", evidence="exact", before=0.0,
        after=float(sum(values)), pieces=pieces, enough=enough,
    )  # fmt: skip

    assert changed.headline(row, "size") == f"What changed since the lock: {said}"


@pytest.mark.parametrize(("then", "verdict"), [("kept", "worse"), ("broken", "within noise")])
def test_a_ratio_that_broke_its_limit_is_no_noise(then: str, verdict: str) -> None:
    def timed(value: float, outcome: str) -> Any:
        row = limit("latency", "s", read(value, value - 0.001, value + 0.001, cpu="A"))
        against = AgainstRow(ref="git:main", outcome=outcome, text="1.060 times", ratio=1.06)
        return run("int8", replace(row, against=against))

    (found,) = changes(timed(0.010, then), timed(0.0105, "broken"))

    assert found.verdict == verdict
    assert found.reason == ("1.060 times" if verdict == "worse" else "")


def test_predicted_sizes_hold_what_is_really_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("litert_quantizer", reason="quantizes")
    pytest.importorskip("ai_edge_litert", reason="runs the models")
    from pytest_edgebudget.budget.recipes import parse_recipe
    from pytest_edgebudget.changes.predict import predicted_size
    from pytest_edgebudget.extensions import command_line_manager, registry_of
    from pytest_edgebudget.graph import read as read_graph

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEBUDGET_HISTORY", "off")
    (tmp_path / "pyproject.toml").write_text("")
    recipes = ["float16", "weights_int8", "dynamic_int8", "int8", "int4_weights"]
    for name in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / name, tmp_path / name)
    text = BUDGET.partition("[models")[0] + (
        '[models.m]\npath = "digits.tflite"\ndata = "data.npz"\n'
        f'optimize = {json.dumps(recipes)}\n[models.m.budget]\nsize = "1 KiB"\n'
    )
    (tmp_path / "b.toml").write_text(text)
    assert main(["check", "b.toml", "--report", "json:o.json"]) == 1
    (model,) = json.loads((tmp_path / "o.json").read_text())["models"]
    built = {trial["recipe"]: trial["readings"]["size"] for trial in model["trials"]}

    assert set(built) == set(recipes)
    passes, graph = registry_of(command_line_manager()).passes, read_graph(DIGITS / "digits.tflite")
    for recipe, size in built.items():
        found = predicted_size(graph, parse_recipe(recipe, passes))
        assert found is not None
        assert found.low <= size <= found.high, recipe


@pytest.mark.parametrize(
    ("profile", "metric"), [("host", "activation_plan"), ("stm32l4r5-tflm", "arena")]
)
def test_predicted_memory_holds_what_is_really_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str, metric: str
) -> None:
    pytest.importorskip("litert_quantizer", reason="quantizes")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEBUDGET_HISTORY", "off")
    (tmp_path / "pyproject.toml").write_text("")
    for name in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / name, tmp_path / name)
    found = {}
    for recipe in ("none", "int8"):
        (tmp_path / "b.toml").write_text(
            f'[device]\nprofile = "{profile}"\nrun = "static"\n'
            '[models.m]\npath = "digits.tflite"\ndata = "data.npz"\n'
            f'optimize = ["{recipe}"]\n[models.m.budget]\n{metric} = "1 B"\n'
        )
        main(["check", "b.toml", "--report", "json:o.json"])
        found[recipe] = rows(tmp_path / "o.json")[metric]
    fix = next(fix for fix in found["none"]["fixes"] if fix["text"] == "int8")

    assert fix["low"] <= found["int8"]["after"]["value"] <= fix["high"]
    assert fix["value"] < found["none"]["after"]["value"] / 2
    assert not any(fix["kind"] == "recipe" for fix in found["int8"]["fixes"])
