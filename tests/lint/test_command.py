"""``edgebudget lint`` as a user calls it: output and exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from pytest_edgebudget.cli import main
from pytest_edgebudget.lint import families
from pytest_edgebudget.lint.base import Finding, ModelFile, OnDevice, Rule, Severity
from tests.lint.conftest import DIGITS, HEAD, Lint

EB1 = "--select=EB1"
MAIN = "import sys; from pytest_edgebudget.cli import main; sys.exit(main())"


def rule(code: str, severity: Severity, *findings: Finding, needs: type = ModelFile) -> Rule:
    def check(subject: object) -> Iterable[Finding]:
        return findings

    return Rule(code=code, name="rule-of-a-test", severity=severity, needs=needs, check=check)


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> list[Rule]:
    """Rules that are added; with ``--select=TEST`` they are the only ones."""
    added: list[Rule] = []
    monkeypatch.setattr(families, "added", lambda: tuple(added))
    return added


@pytest.mark.usefixtures("project")
def test_nothing_found_is_one_line_and_exit_code_0(lint: Lint) -> None:
    assert lint("digits.tflite", EB1) == (0, "Nothing found, 1 file checked\n", "")


@pytest.mark.parametrize(
    ("severity", "code"), [(Severity.ERROR, 1), (Severity.WARNING, 1), (Severity.NOTE, 0)]
)
@pytest.mark.usefixtures("project")
def test_notes_alone_do_not_fail(
    lint: Lint, rules: list[Rule], severity: Severity, code: int
) -> None:
    rules.append(rule("TEST001", severity, Finding("is wide", where="conv", instead="narrow it")))

    assert lint("digits.tflite", "--select=TEST") == (
        code,
        f"digits.tflite: TEST001 {severity}: conv: is wide\n    instead: narrow it\n"
        f"1 finding in 1 file: 1 {severity}; 1 file checked\n",
        "",
    )


def test_a_budget_file_is_looked_at_with_its_models_and_lines(lint: Lint, project: Path) -> None:
    (project / "pi4.toml").write_text(HEAD + 'size = "16 KiB"\naccuracy = { min = 0 }\n')

    assert lint("pi4.toml", EB1) == (
        1,
        "pi4.toml:10: EB103 warning: models.digits.budget.accuracy:"
        " never fails: no reading is below 0.00 %\n"
        "1 finding in 1 file: 1 warning; 2 files checked\n",
        "",
    )


def test_every_mistake_of_a_budget_file_is_a_finding_and_the_others_are_looked_at(
    lint: Lint, project: Path
) -> None:
    (project / "a.toml").write_text(HEAD + 'sise = "16 KiB"\nram = "3"\n')
    (project / "b.toml").write_text(HEAD + 'size = "16 KiB"\naccuracy = { min = 0 }\n')

    code, out, err = lint(".", EB1)

    assert (code, err) == (2, "")
    assert out == (
        'a.toml:9: EB100 error: models.digits.budget.sise: there is no metric "sise"\n'
        "    instead: did you mean size?\n"
        'a.toml:10: EB100 error: models.digits.budget.ram: the unit is missing: write "3 KiB"\n'
        "b.toml:10: EB103 warning: models.digits.budget.accuracy:"
        " never fails: no reading is below 0.00 %\n"
        "3 findings in 2 files: 2 errors, 1 warning; 2 files checked\n"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("lfs.tflite", b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        ("empty.onnx", b"", "the file is empty"),
        ("page.tflite", b"<!DOCTYPE html>", "this is a web page"),
        ("cut.tflite", (DIGITS / "digits.tflite").read_bytes()[:5000], "not a usable model"),
        ("model.keras", b"PK\x03\x04", "this is a zip archive"),
    ],
)
def test_an_unreadable_file_is_a_finding_and_exit_code_2(
    lint: Lint, project: Path, name: str, content: bytes, message: str
) -> None:
    (project / name).write_bytes(content)

    code, out, _ = lint(name, "digits.tflite", EB1)

    assert code == 2
    assert out.startswith(f"{name}: EB100 error: {message}")
    assert out.endswith("1 finding in 1 file: 1 error; 1 file checked\n")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.tflite", "cannot be read (No such file or directory)"),
        ("nowhere", "cannot be read (No such file or directory)"),
        ("nowhere.toml", "there is no file nowhere.toml"),
        ("empty", "there is no model and no budget file in this folder"),
        ("a" * 5000 + ".tflite", "cannot be read (File name too long)"),
        ("a" * 5000 + ".toml", "cannot be read: File name too long"),
    ],
)
def test_a_path_that_yields_nothing_is_an_error(
    lint: Lint, project: Path, path: str, message: str
) -> None:
    (project / "empty").mkdir()

    code, out, _ = lint(path)

    assert code == 2
    assert message in out


def test_a_folder_that_may_not_be_opened_is_an_error_and_the_others_are_looked_at(
    lint: Lint, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "closed").mkdir()
    scan = os.scandir

    def closed(path: str) -> object:  # root may open every folder, so the system's answer is ours
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)

    expected = "closed: EB100 error: the folder cannot be read (Permission denied)\n"
    code, out, _ = lint(".", EB1)
    assert code == 2
    assert expected in out
    assert out.endswith("; 1 file checked\n")
    assert lint("closed", EB1)[1].startswith(expected)


def test_names_of_files_cannot_steer_a_terminal_or_break_a_line(
    lint: Lint, project: Path, rules: list[Rule]
) -> None:
    rules.append(rule("TEST001", Severity.NOTE, Finding("is a model")))
    (project / "digits.tflite").rename(project / "a\nb \033[31mred.tflite")

    _, out, _ = lint(".", "--select=TEST")
    assert out.splitlines()[0] == r"a\nb \x1b[31mred.tflite: TEST001 note: is a model"

    (project / "pi4.toml").write_text(HEAD.replace("digits.tflite", "\\u001b.keras") + 'size="1 B"')
    shutil.copy(DIGITS / "digits.keras", project / "\033.keras")
    _, out, _ = lint("pi4.toml", "--select=TEST")
    assert "\033" not in out


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--select=EB9", "--select: there is no rule 'EB9'"),
        ("--ignore=EB2,unused", "--ignore: there is no rule 'UNUSED'"),
        ("--profile=raspbery-pi-4", "there is no profile 'raspbery-pi-4'\n  did you mean raspb"),
        ("--profile=mine.toml", "mine.toml: the profile cannot be read"),
    ],
)
def test_an_unknown_code_or_profile_is_a_usage_error(
    project: Path, capsys: pytest.CaptureFixture[str], option: str, message: str
) -> None:
    assert main(["lint", "digits.tflite", option]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["lint", "explain"])
def test_a_profile_that_is_none_is_told_in_words(
    project: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (project / "pi4.toml").write_text(HEAD + 'size = "16 KiB"\n')
    (project / "board.toml").write_text('runtimes = ["litert"]\ncpus = 1\n')

    assert main([command, "digits.tflite", "--profile=pi4.toml"]) == 2
    assert capsys.readouterr().err == (
        "error: pi4.toml: this is a budget file, not a profile of a device\n"
        "  its [device] names the profile that it is for\n"
    )
    assert main([command, "digits.tflite", "--profile=board.toml"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(
        "error: board.toml: not a profile that can be used\n  board.toml:2: cpus: "
    )


@pytest.mark.usefixtures("project")
def test_rules_that_need_a_device_run_on_the_profile_that_is_named(
    lint: Lint, rules: list[Rule]
) -> None:
    rules.append(rule("TEST001", Severity.ERROR, Finding("does not fit"), needs=OnDevice))

    assert lint("digits.tflite", "--select=TEST")[0] == 0
    _, out, _ = lint("digits.tflite", "--select=TEST", "--profile=raspberry-pi-4")
    assert "digits.tflite: TEST001 error: does not fit (on raspberry-pi-4)\n" in out


def test_a_model_of_several_budgets_is_looked_at_once_on_each_device(
    lint: Lint, project: Path, rules: list[Rule]
) -> None:
    (project / "pi4.toml").write_text(HEAD + 'size = "16 KiB"\n')
    (project / "pi5.toml").write_text(HEAD.replace("pi-4", "pi-5") + 'size = "16 KiB"\n')
    rules.append(rule("TEST001", Severity.ERROR, Finding("does not fit"), needs=OnDevice))
    rules.append(rule("TEST002", Severity.NOTE, Finding("is a model")))

    _, out, _ = lint(".", "--select=TEST")

    assert out == (
        "digits.tflite: TEST001 error: does not fit (on raspberry-pi-4, raspberry-pi-5)\n"
        "digits.tflite: TEST002 note: is a model\n"
        "2 findings in 1 file: 1 error, 1 note; 3 files checked\n"
    )


def test_a_source_model_is_said_not_to_be_looked_at(lint: Lint, project: Path) -> None:
    shutil.copy(DIGITS / "digits.keras", project / "digits.keras")
    text = HEAD.replace("digits.tflite", "digits.keras") + 'size = "16 KiB"\n'
    (project / "pi4.toml").write_text(text)

    code, out, _ = lint("pi4.toml", "--select=EB2")

    assert code == 0
    assert out == (
        "digits.keras: not looked at: only .tflite and .onnx files are;"
        " `edgebudget check --artifacts DIR` writes what it becomes\n"
        "Nothing found, 1 file checked\n"
    )


@pytest.mark.usefixtures("project")
def test_a_rule_that_fails_is_our_error_and_the_others_go_on(lint: Lint, rules: list[Rule]) -> None:
    def check(model: ModelFile) -> Iterable[Finding]:
        yield Finding("found before")
        raise IndexError("no such tensor")

    broken = rule("TEST001", Severity.NOTE)
    rules.append(Rule(**{**vars_of(broken), "check": check}))
    rules.append(rule("TEST002", Severity.WARNING, Finding("found after")))

    code, out, _ = lint("digits.tflite", "--select=TEST")

    assert code == 3
    assert "digits.tflite: TEST002 warning: found after\n" in out
    assert (
        "internal error: digits.tflite: TEST001 (rule-of-a-test) failed:"
        " IndexError: no such tensor (test_command.py:"
    ) in out


def vars_of(one: Rule) -> dict[str, object]:
    return {name: getattr(one, name) for name in Rule.__dataclass_fields__}


@pytest.mark.usefixtures("project")
def test_many_findings_of_one_rule_are_counted(lint: Lint, rules: list[Rule]) -> None:
    findings = [Finding("is wide", where=f"op{n}", instead="narrow it") for n in range(12)]
    rules.append(rule("TEST001", Severity.WARNING, *findings))

    assert lint("digits.tflite", "--select=TEST")[1] == (
        "digits.tflite: TEST001 warning: op0: is wide\n"
        "digits.tflite: TEST001 warning: op1: is wide\n"
        "digits.tflite: TEST001 warning: op2: is wide\n"
        "    instead: narrow it\n"
        "    and 9 more of TEST001\n"
        "12 findings in 1 file: 12 warnings; 1 file checked\n"
    )


@pytest.mark.parametrize(("tty", "no_colour", "coloured"), [(1, "", 1), (1, "1", 0), (0, "", 0)])
@pytest.mark.usefixtures("project")
def test_colours_are_for_terminals_whose_user_wants_them(
    rules: list[Rule],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tty: bool,
    no_colour: str,
    coloured: bool,
) -> None:
    rules.append(rule("TEST001", Severity.ERROR, Finding("is wide")))
    monkeypatch.setenv("NO_COLOR", no_colour)
    monkeypatch.setattr("sys.stdout.isatty", lambda: bool(tty))

    main(["lint", "digits.tflite", "--select=TEST"])

    assert ("\033[1;31mTEST001\033[0m" in capsys.readouterr().out) == bool(coloured)


def test_json_has_all_findings_and_where_the_model_is_named(
    lint: Lint, project: Path, rules: list[Rule]
) -> None:
    (project / "pi4.toml").write_text(HEAD + 'size = "16 KiB"\n')
    rules.append(
        rule("TEST001", Severity.ERROR, Finding("big", where="op", instead="x"), needs=OnDevice)
    )

    code, out, _ = lint("pi4.toml", "--select=TEST", "--format=json")

    data = json.loads(out)
    assert code == data["summary"]["exit_code"] == 1
    assert data["version"] == 1
    assert data["summary"] == {
        "files": 2,
        "findings": 1,
        "errors": 1,
        "warnings": 0,
        "notes": 0,
        "exit_code": 1,
    }
    assert data["findings"] == [
        {
            "code": "TEST001",
            "name": "rule-of-a-test",
            "severity": "error",
            "path": "digits.tflite",
            "line": None,
            "where": "op",
            "message": "big",
            "instead": "x",
            "devices": ["raspberry-pi-4"],
            "named_by": {"path": "pi4.toml", "line": 4},
        }
    ]
    assert (data["unreadable"], data["skipped"], data["internal_errors"]) == ([], [], [])


@pytest.mark.usefixtures("project")
def test_names_of_strangers_cannot_steer_a_terminal_or_fill_the_memory(
    lint: Lint, rules: list[Rule]
) -> None:
    rules.append(
        rule("TEST001", Severity.NOTE, Finding("\x1b[31mred\n::error::x", where="a" * 9999))
    )

    _, out, _ = lint("digits.tflite", "--select=TEST")

    assert out.splitlines()[0] == (
        f"digits.tflite: TEST001 note: {'a' * 1000}...: \\x1b[31mred\\n::error::x"
    )


@pytest.mark.usefixtures("project")
def test_of_endless_findings_the_first_are_listed(lint: Lint, rules: list[Rule]) -> None:
    def endless(model: ModelFile) -> Iterable[Finding]:
        while True:
            yield Finding("is wide")

    one = rule("TEST001", Severity.NOTE)
    rules.append(Rule(**{**vars_of(one), "check": endless}))

    _, out, _ = lint("digits.tflite", "--select=TEST", "--format=json")

    messages = [each["message"] for each in json.loads(out)["findings"]]
    assert messages[-1] == "there is more: the first 1,000 findings are listed"


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_the_name_of_a_file_may_be_of_any_bytes(project: Path, form: str) -> None:
    name = os.fsdecode(b"m\xff\xc3\xa9.tflite")
    (project / name).write_bytes(b"TFL3")

    done = subprocess.run(
        [sys.executable, "-c", MAIN, "lint", name, f"--format={form}"],
        capture_output=True,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (2, b"")
    assert b"EB100" in done.stdout
