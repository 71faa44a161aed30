"""``edgebudget fit`` as a user calls it."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.cli import main

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
BUDGET = """\
[device]
profile = "raspberry-pi-4"
[models.digits]
path = "digits.tflite"
data = "data.npz"
[models.digits.budget]
size = "{size}"
accuracy = {{ max_drop = "1 pp" }}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("litert_quantizer", reason="pip install 'pytest-edgebudget[litert]'")
    (tmp_path / "pyproject.toml").write_text("")
    for name in ("digits.tflite", "data.npz"):
        shutil.copy(DIGITS / name, tmp_path / name)
    (tmp_path / "pi4.toml").write_text(BUDGET.format(size="32 KiB"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_tells_each_candidate_and_writes_the_artifact(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["fit", "digits", "--budget", "pi4.toml", "-o", "out/digits", "--plot", "p.svg"])

    out, err = capsys.readouterr()
    assert code == 0
    assert [line.split()[0] for line in err.splitlines()] == ["none", "float16", "weights_int8"]
    assert 'to keep it: optimize = ["weights_int8"]' in out
    artifact = project / "out" / "digits.tflite"
    assert artifact.stat().st_size <= 32 * 1024
    assert "int8" in {tensor.dtype for tensor in graph.read(artifact).tensors}
    points = ET.parse(project / "p.svg").iter("{http://www.w3.org/2000/svg}title")
    assert "weights_int8: size 22.9 KiB, accuracy 98.50 %" in {point.text for point in points}


def test_of_the_chosen_and_all_others_none_that_keeps_the_limits_is_smaller(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["fit", "digits", "--budget", "pi4.toml", "--objective", "size"]
    assert main([*arguments, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (chosen,) = [trial for trial in found["trials"] if trial["state"] == "chosen"]
    recipes = ["none", "float16", "weights_int8", "dynamic_int8", "int8", "int16x8", "int4_weights"]
    listed = ", ".join(f'"{recipe}+clean"' for recipe in recipes[1:])
    sizes = []
    for recipe in listed.split(", "):  # each alone, by the gate: an independent judge
        text = BUDGET.format(size="1 MiB").replace(
            "[models.digits.budget]", f"optimize = [{recipe}]\n[models.digits.budget]"
        )
        (project / "one.toml").write_text(text)
        if main(["check", "one.toml", "--format", "json"]) == 0:
            sizes.append(json.loads(capsys.readouterr().out)["models"][0]["size"])
        capsys.readouterr()
    assert chosen["readings"]["size"] <= min(sizes)


def test_a_search_that_ended_at_its_limit_says_so_though_something_fits(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["fit", "digits", "--budget", "pi4.toml"]
    said = "the search ended at its limit of trials or time"
    assert main(arguments) == 0
    assert said not in capsys.readouterr().out
    assert main([*arguments, "--objective", "latency", "--max-trials", "2"]) == 0
    out = capsys.readouterr().out
    assert said in out
    assert "keeps every limit" in out


def test_nothing_fits_is_exit_code_one_and_says_what_would(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pi4.toml").write_text(BUDGET.format(size="5 KiB"))

    assert main(["fit", "digits", "--budget", "pi4.toml"]) == 1
    out = capsys.readouterr().out
    assert "proved: the weights alone need 8.95 KiB in the least recipe" in out
    assert "◂ closest" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["digit", "--budget", "pi4.toml"], "pi4.toml has no model digit\n  it has digits"),
        (["digits", "--budget", "pi5.toml"], "there is no file"),
        (["digits", "--budget", "pi4.toml", "--max-time", "soon"], '--max-time: "soon" is no time'),
        (["digits", "--budget", "pi4.toml", "--plot", "p.pdf"], "a plot is .svg or .png"),
        (["digits", "--budget", "pi4.toml", "-o", "a.onnx"], "the artifact is a .tflite"),
        (["digits", "--budget", "pi4.toml", "--objective", "accuracy"], ""),
    ],
)
def test_what_is_wrong_is_a_sentence(
    arguments: list[str], said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["fit", *arguments])
    err = capsys.readouterr().err
    if said:
        assert code == 2
        assert said in err
        assert "Traceback" not in err
    else:
        assert code == 0


def test_accuracy_without_a_limit_of_quality_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = BUDGET.format(size="32 KiB").replace('accuracy = { max_drop = "1 pp" }\n', "")
    (project / "pi4.toml").write_text(text)
    assert main(["fit", "digits", "--budget", "pi4.toml", "--objective", "accuracy"]) == 2
    assert "no limit says which quality to be best at" in capsys.readouterr().err
