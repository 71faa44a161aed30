"""`--against git:REF` on real repositories and real models."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget.cli import main

DIGITS = Path(__file__).parent.parent.parent / "examples" / "digits"
SIZE = """\
[lint]
level = "off"
[device]
profile = "raspberry-pi-4"
[models.m]
path = "m.tflite"
[models.m.budget]
size = { max = "1 MiB", max_regression = "2 %" }
"""
LATENCY = """\
[lint]
level = "off"
[device]
profile = "host"
[models.m]
path = "m.onnx"
[models.m.budget]
latency = { max_regression = "10 %" }
"""


def git(*words: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=n@example.org"]
    return subprocess.check_output(["git", *who, *words], text=True).strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository; the project lies in a folder of it."""
    root = tmp_path / "repository" / "project"
    root.mkdir(parents=True)
    monkeypatch.chdir(root)
    monkeypatch.setenv("EDGEBUDGET_HISTORY", "off")
    (root / "pyproject.toml").write_text("")
    (root / ".gitignore").write_text(".edgebudget_cache\nout.json\n")
    subprocess.run(["git", "init", "-q", "-b", "main", ".."], check=True)
    return root


def commit() -> None:
    git("add", "-A")
    git("commit", "-q", "-m", "m")


def multiply(path: Path, times: int) -> None:
    """A model of so many products of 256x256 matrices, which takes time in proportion."""
    onnx = pytest.importorskip("onnx", reason="makes the models")
    np = pytest.importorskip("numpy")
    pytest.importorskip("onnxruntime", reason="runs the models")
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    rng = np.random.default_rng(0)
    nodes, weights = [], []
    for n in range(times):
        weight = (rng.standard_normal((256, 256)) / 16).astype(np.float32)
        weights.append(onnx.numpy_helper.from_array(weight, f"w{n}"))
        nodes.append(helper.make_node("MatMul", [f"x{n}", f"w{n}"], [f"x{n + 1}"]))
    ends = [helper.make_tensor_value_info(f"x{n}", float32, [64, 256]) for n in (0, times)]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))


def judged(code: int, *words: str) -> dict[str, Any]:
    """The only limit of the report."""
    found = main(["check", "pi4.toml", "--report", "json:out.json", *words])
    row: dict[str, Any] = json.loads(Path("out.json").read_text())["limits"][0]
    assert found == code, row
    return row


def test_an_exact_metric_is_compared_with_what_it_was_then(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pi4.toml").write_text(SIZE)
    model = (DIGITS / "digits.tflite").read_bytes()
    (project / "m.tflite").write_bytes(model)
    commit()
    same = judged(0, "--against", "git:main")
    (project / "m.tflite").write_bytes(model + bytes(4096))
    before = git("status", "--porcelain")
    grown = judged(1, "--against", "git:main")
    said = capsys.readouterr().out

    assert (same["against"]["before"], same["against"]["outcome"]) == (len(model), "kept")
    assert [(b["kind"], b["outcome"]) for b in grown["bounds"]] == [
        ("max", "kept"),
        ("max_regression", "broken"),
    ]
    assert f"over what git:main ({git('rev-parse', 'HEAD')[:8]}) allows, 76.6 KiB" in said
    assert git("status", "--porcelain") == before


def test_the_lock_of_then_names_the_recipe_of_then(project: Path) -> None:
    pytest.importorskip("litert_quantizer", reason="makes int8")
    pytest.importorskip("ai_edge_litert", reason="runs the models")
    for name in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / name, project / name)
    text = SIZE.replace('"m.tflite"', '"digits.tflite"\ndata = "data.npz"\noptimize = ["RECIPE"]')
    (project / "pi4.toml").write_text(text.replace("RECIPE", "int8"))
    assert main(["check", "pi4.toml", "--update"]) == 0
    commit()
    (project / "pi4.toml").write_text(text.replace("RECIPE", "float16"))

    row = judged(1, "--against", "git:HEAD")
    assert row["against"]["before"] == 24304  # what int8 makes, as the lock's tests say
    assert row["after"]["value"] > 1.5 * 24304


def test_time_is_judged_by_a_ratio_of_both_in_one_worker(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pi4.toml").write_text(LATENCY)
    multiply(project / "m.onnx", 4)
    commit()
    same = judged(0, "--against", "git:main")
    renamed = (project / "m.onnx").read_bytes().replace(b"\x01g", b"\x01h", 1)
    (project / "m.onnx").write_bytes(renamed)  # another file that does the same
    twin = judged(0, "--against", "git:main")
    multiply(project / "m.onnx", 8)
    slower = judged(1, "--against", "git:main")
    said = capsys.readouterr().out

    assert (same["against"]["outcome"], same["against"]["ratio"]) == ("kept", 1.0)
    assert (same["against"]["evidence"], same["against"]["workers"]) == ("exact", 0)
    assert "the same file as in git:main (" in same["against"]["text"]
    assert twin["against"]["outcome"] in ("kept", "undecided")
    assert twin["against"]["workers"] >= 3
    assert twin["against"]["low"] < 1.05
    assert slower["against"]["outcome"] == "broken"
    assert 1.5 < slower["against"]["low"] <= slower["against"]["ratio"] < 3
    assert slower["against"]["workers"] >= 6
    assert "m: latency is broken: " in said
    assert "measured: timed here in turns" in said


def test_on_a_board_the_ratio_is_host_evidence_and_says_so(project: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="runs the models")
    limit = 'latency = { max_regression = "50 %" }'
    (project / "pi4.toml").write_text(SIZE.partition("size")[0] + limit)
    shutil.copy(DIGITS / "digits.tflite", project / "m.tflite")
    commit()
    with (project / "m.tflite").open("ab") as file:
        file.write(bytes(16))  # another file that does the same

    row = judged(0, "--against", "git:main")
    assert row["against"]["evidence"] == "host"
    assert "timed here in turns, not on raspberry-pi-4" in row["against"]["text"]
    assert row["bounds"][-1]["bound"] is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("git:nowhere", "git:nowhere: the repository has no commit of that name"),
        ("git:--help", "git:--help: the repository has no commit of that name"),
        ("main", "main: write git:REF"),
        ("git:", "git:: write git:REF"),
    ],
)
def test_a_reference_that_does_not_exist_is_a_usage_error(
    project: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (project / "pi4.toml").write_text(SIZE)
    shutil.copy(DIGITS / "digits.tflite", project / "m.tflite")
    commit()

    assert main(["check", "pi4.toml", "--against", text]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_without_a_repository_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "pi4.toml").write_text(SIZE)
    shutil.copy(DIGITS / "digits.tflite", tmp_path / "m.tflite")

    assert main(["check", "pi4.toml", "--against", "git:main"]) == 2
    assert "is in no git repository" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("m.tflite", b"no model", "m at git:main (*) cannot be built: *m.tflite*"),
        ("m.tflite", None, "m at git:main (*) cannot be built: *m.tflite*"),
        ("pi4.toml", None, "git:main (*) has no budget file pi4.toml"),
        ("pi4.toml", SIZE.replace("models.m", "models.n").encode(), "*has no model m"),
        ("pi4.toml", b"nonsense = [", "m at git:main (*) cannot be built: pi4.toml*"),
    ],
)
def test_a_past_that_cannot_be_built_is_unmeasured_with_a_sentence(
    project: Path, file: str, content: bytes | None, said: str
) -> None:
    good = {"pi4.toml": SIZE.encode(), "m.tflite": (DIGITS / "digits.tflite").read_bytes()}
    for name, data in (good | {file: content}).items():
        if data is not None:
            (project / name).write_bytes(data)
    commit()
    for name, data in good.items():
        (project / name).write_bytes(data)

    row = judged(1, "--against", "git:main")
    assert row["status"] == "unmeasured"
    assert fnmatch(row["reason"], said.replace("(*)", "(????????)")), row["reason"]
    assert "\n" not in row["reason"]


def test_pytest_with_xdist_judges_against_the_past_too(project: Path) -> None:
    (project / "pi4.toml").write_text(SIZE)
    model = (DIGITS / "digits.tflite").read_bytes()
    (project / "m.tflite").write_bytes(model)
    commit()
    (project / "m.tflite").write_bytes(model + bytes(4096))
    command = ["-m", "pytest", "-q", "-n", "2", "--edge-budget", "pi4.toml"]
    ran = subprocess.run(
        [sys.executable, *command, "--edge-budget-against", "git:main"],
        capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip

    assert ran.returncode == 1
    assert "size is broken: " in ran.stdout
    assert "over what git:main" in ran.stdout


def test_an_anchor_catches_what_creeps_past_the_lock(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SIZE.replace('"2 %" }', '"2 %", anchor = "v1" }')
    (project / "pi4.toml").write_text(text)
    model = (DIGITS / "digits.tflite").read_bytes()
    found = []
    for step in range(3):
        (project / "m.tflite").write_bytes(model + bytes(1200 * step))  # 1.6 % each
        if step == 0:
            commit()
            git("tag", "v1")
            main(["check", "pi4.toml", "--update"])
        capsys.readouterr()
        code = main(["check", "pi4.toml", "--report", "json:out.json"])
        row = json.loads(Path("out.json").read_text())["limits"][0]
        found.append((code, {bound["kind"]: bound["outcome"] for bound in row["bounds"]}))
        main(["check", "pi4.toml", "--update"])
    said = capsys.readouterr().out

    kept = {"max": "kept", "max_regression": "kept", "anchor": "kept"}
    assert found == [(0, kept), (0, kept), (1, {**kept, "anchor": "broken"})]
    assert f"over what git:v1 ({git('rev-parse', 'v1')[:8]}) allows, 76.6 KiB" in said


def test_an_anchor_that_is_gone_is_unmeasured(project: Path) -> None:
    (project / "pi4.toml").write_text(SIZE.replace('"2 %" }', '"2 %", anchor = "v9" }'))
    shutil.copy(DIGITS / "digits.tflite", project / "m.tflite")
    commit()
    main(["check", "pi4.toml", "--update"])

    row = judged(1)
    assert "git:v9: the repository has no commit of that name" in row["reason"]
    assert [bound["kind"] for bound in row["bounds"]][-1] == "anchor"


def test_an_anchor_without_a_regression_is_a_mistake(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pi4.toml").write_text(SIZE.replace('max_regression = "2 %"', 'anchor = "v1"'))

    assert main(["check", "pi4.toml"]) == 2
    assert "size.anchor: needs max_regression" in capsys.readouterr().err
