"""The files for CI: what they are by their makers' schemas, and their commands, run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
CI = ROOT / "examples" / "ci"
BUDGET = """\
[lint]
level = "off"
[device]
profile = "raspberry-pi-4"
[models.digits]
path = "../digits.tflite"
[models.digits.budget]
size = { max = "80 KiB", max_regression = "2 %" }
"""


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-workflows", "github/edge-budgets.yml"),
        ("vendor.github-actions", "github/action.yml"),
        ("vendor.gitlab-ci", "gitlab/.gitlab-ci.yml"),
    ],
)
def test_a_file_is_what_its_forge_reads(schema: str, file: str) -> None:
    pytest.importorskip("check_jsonschema", reason="has the schemas of both forges")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    custom = ["--data-transform", "gitlab-ci"] if "gitlab" in schema else []
    ran = subprocess.run(
        [*command, *custom, str(CI / file)], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def load(file: str) -> Any:
    yaml = pytest.importorskip("ruamel.yaml", reason="reads YAML")
    return yaml.YAML(typ="safe").load((CI / file).read_text())


def commands() -> list[tuple[str, str]]:
    """The pytest commands of all files."""
    workflow, pipeline = load("github/edge-budgets.yml"), load("gitlab/.gitlab-ci.yml")
    steps = [s for job in ("gate", "lock") for s in workflow["jobs"][job]["steps"]]
    steps += load("github/action.yml")["runs"]["steps"]
    found = [("github", str(s["run"])) for s in steps if "pytest --edge-budget" in s.get("run", "")]
    found += [("gitlab", str(line)) for job in ("gate", "lock") for line in pipeline[job]["script"]]
    return found


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def test_every_command_runs_and_writes_what_the_files_publish(tmp_path: Path) -> None:
    upstream, project = tmp_path / "upstream", tmp_path / "project"
    (upstream / "budgets").mkdir(parents=True)
    (upstream / "pyproject.toml").write_text("")
    (upstream / "budgets" / "pi4.toml").write_text(BUDGET)
    shutil.copy(ROOT / "examples" / "digits" / "digits.tflite", upstream)
    git(upstream, "init", "-q")
    git(upstream, "add", "-A")
    git(upstream, "commit", "-q", "-m", "m")
    subprocess.run(["git", "clone", "-q", str(upstream), str(project)], check=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    summary = tmp_path / "summary.md"
    environment = {
        **os.environ, "PATH": path, "CI_DEFAULT_BRANCH": "main", "BASE": "main", "BUDGETS": "budgets",
        "AGAINST": "git:origin/main", "GITHUB_STEP_SUMMARY": str(summary),
    }  # fmt: skip
    for _, command in commands():
        ran = subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=project, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, command + ran.stdout + ran.stderr

    published = {each.name for each in (project / "out").iterdir()}
    assert published >= {
        "report.md", "report.html", "report.json", "annotations.txt", "quality.json",
        "metrics.txt", "junit.xml", "gated",
    }  # fmt: skip
    assert (project / "budgets" / "pi4.lock.json").is_file()
    assert "| digits: none | size |" in summary.read_text()


def test_a_pull_request_of_a_fork_needs_no_secret_and_no_right_to_write() -> None:
    workflow = load("github/edge-budgets.yml")

    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in workflow["jobs"]["gate"]
    assert "secrets." not in (CI / "github" / "edge-budgets.yml").read_text()
    assert workflow["jobs"]["lock"]["if"] == "github.event_name == 'push'"
