"""Findings that comments in budget files ignore, and comments that ignore nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from pytest_edgebudget.lint import families
from pytest_edgebudget.lint.base import Finding, ModelFile, OnDevice, Rule, Severity
from tests.lint.conftest import HEAD, Lint

BUDGET = HEAD + 'size = "16 KiB"\n'
CHOICE = "--select=EB101,EB102,EB103,TEST"


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule about the file and one about the device, which always find something."""

    def wide(model: ModelFile) -> Iterable[Finding]:
        yield Finding("is wide")

    def heavy(pair: OnDevice) -> Iterable[Finding]:
        yield Finding("is heavy")

    added = (
        Rule(code="TEST001", name="wide", severity=Severity.ERROR, needs=ModelFile, check=wide),
        Rule(code="TEST002", name="heavy", severity=Severity.ERROR, needs=OnDevice, check=heavy),
    )
    monkeypatch.setattr(families, "added", lambda: added)


def found(out: str) -> list[str]:
    """The findings without the summary and the hints."""
    return [line for line in out.splitlines()[:-1] if not line.startswith(" ")]


@pytest.mark.parametrize(
    "text",
    [
        BUDGET.replace("digits]", "digits]  # edgebudget: ignore TEST - known"),
        BUDGET + "# edgebudget: ignore TEST001, TEST002 - known\n",
        "# edgebudget: ignore TEST - known\n" + BUDGET,
        BUDGET.replace("[models.digits]", "# edgebudget: ignore TEST - known\n[models.digits]"),
        BUDGET + '[lint]\nignore = ["TEST"]\n',
        BUDGET + '[lint]\nselect = ["EB1"]\n',
    ],
    ids=["header", "table", "top", "above", "lint.ignore", "lint.select"],
)
def test_findings_in_a_model_are_ignored_from_its_budget(
    lint: Lint, project: Path, text: str
) -> None:
    (project / "pi4.toml").write_text(text)

    assert lint("pi4.toml", CHOICE)[:2] == (0, "Nothing found, 2 files checked\n")


def test_a_finding_at_a_line_is_ignored_there(lint: Lint, project: Path) -> None:
    comment = "# edgebudget: ignore EB103 - not decided yet"
    (project / "pi4.toml").write_text(BUDGET + f"accuracy = {{ min = 0 }}  {comment}\n")

    assert lint("pi4.toml", "--select=EB1,EB102", "--ignore=EB105")[:2] == (
        0,
        "Nothing found, 2 files checked\n",
    )


def test_a_comment_behind_another_line_ignores_nothing_and_is_reported(
    lint: Lint, project: Path
) -> None:
    comment = "  # edgebudget: ignore EB103 - not decided yet"
    text = BUDGET.replace('"16 KiB"', f'"16 KiB"{comment}') + "accuracy = { min = 0 }\n"
    (project / "pi4.toml").write_text(text)

    assert found(lint("pi4.toml", "--select=EB103,EB102")[1]) == [
        "pi4.toml:9: EB102 warning: nothing is found that EB103 would ignore here",
        "pi4.toml:10: EB103 warning: models.digits.budget.accuracy:"
        " never fails: no reading is below 0.00 %",
    ]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("ignore TEST001", "no reason is given for ignoring TEST001"),
        ("ignore TEST009 - x", "there is no rule TEST009: it ignores nothing"),
        ("ignore", "no rule is named, and no reason given: it ignores nothing"),
        ("ignore - all of it", "no rule is named: it ignores nothing"),
        ("skip EB203 - x", '"skip" is not understood, only "ignore" is: it ignores nothing'),
        (
            "ignore TEST001 because",
            '"TEST001 because" is not understood, a reason comes behind the codes and " - ":'
            " it ignores nothing",
        ),
    ],
)
def test_a_comment_without_a_reason_or_a_known_code_is_a_finding(
    lint: Lint, project: Path, comment: str, message: str
) -> None:
    (project / "pi4.toml").write_text(f"# edgebudget: {comment}\n{BUDGET}")

    code, out, _ = lint("pi4.toml", "--select=EB101,EB102")

    assert code == 1
    assert found(out) == [f"pi4.toml:1: EB101 warning: {message}"]


def test_an_unused_code_of_a_comment_is_a_finding(lint: Lint, project: Path) -> None:
    (project / "pi4.toml").write_text(f"# edgebudget: ignore TEST, EB103 - x\n{BUDGET}")

    code, out, _ = lint("pi4.toml", CHOICE)

    assert code == 1
    assert out.startswith(
        "pi4.toml:1: EB102 warning: nothing is found that EB103 would ignore here\n"
        "    instead: remove EB103 from it\n"
    )


def test_a_comment_is_not_unused_when_its_rule_did_not_run(lint: Lint, project: Path) -> None:
    (project / "pi4.toml").write_text(f"# edgebudget: ignore EB103 - x\n{BUDGET}")

    assert lint("pi4.toml", "--select=EB102")[0] == 0


def test_a_comment_may_be_about_what_a_recipe_makes(lint: Lint, project: Path) -> None:
    text = BUDGET.replace("[models.digits.budget]", 'optimize = ["int8"]\n[models.digits.budget]')
    (project / "pi4.toml").write_text(text + "# edgebudget: ignore EB3 - for the int8 model\n")

    assert lint("pi4.toml", "--select=EB102,EB301")[0] == 0


def test_a_finding_about_a_device_is_ignored_on_that_device_only(lint: Lint, project: Path) -> None:
    (project / "pi4.toml").write_text(BUDGET + "# edgebudget: ignore TEST - old boards\n")
    (project / "pi5.toml").write_text(BUDGET.replace("pi-4", "pi-5"))

    assert found(lint(".", CHOICE)[1]) == [
        "digits.tflite: TEST002 error: is heavy (on raspberry-pi-5)"
    ]


def test_comments_of_an_extended_file_hold_for_all_that_extend_it(
    lint: Lint, project: Path
) -> None:
    (project / "models.toml").write_text(
        '[models.digits]\npath = "digits.tflite"  # edgebudget: ignore TEST - known\n'
    )
    for board in ("pi-4", "pi-5"):
        (project / f"{board}.toml").write_text(
            f'extends = "models.toml"\n[device]\nprofile = "raspberry-{board}"\n'
            '[models.digits.budget]\nsize = "16 KiB"\n'
        )

    assert lint(".", CHOICE)[:2] == (0, "Nothing found, 3 files checked\n")


def test_a_comment_that_another_file_may_need_is_not_unused(lint: Lint, project: Path) -> None:
    (project / "pi4.toml").write_text(BUDGET + "# edgebudget: ignore EB103 - of the Pi 5\n")
    (project / "pi5.toml").write_text('extends = "pi4.toml"\n[device]\nprofile = "raspberry-pi-5"')

    assert lint("pi4.toml", "--select=EB102")[0] == 0
    assert lint("pi4.toml", "pi5.toml", "--select=EB102,EB103")[0] == 1
