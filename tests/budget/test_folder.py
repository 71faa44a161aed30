"""Which TOML files of a folder hold budgets."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.budget.folder import Kind, budget_files, kinds

LIMITS = "[models.a.budget]\nsize = '1 B'\n"
BUDGET = f"[device]\nprofile = 'host'\n[models.a]\npath = 'a.tflite'\n{LIMITS}"
PROFILE = "title = 'a board'\nruntimes = ['litert']\n"


def write(folder: Path, **files: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.toml").write_text(content)


def names(folder: Path) -> list[str]:
    return [path.stem for path in budget_files(folder)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(BUDGET.encode("utf-16"), id="UTF-16"),
        pytest.param(BUDGET.replace("host", "h\u00f6st").encode("latin-1"), id="Latin-1"),
        pytest.param(BUDGET.encode("utf-8-sig"), id="with a byte order mark"),
        pytest.param(BUDGET.replace("[device]", "[device").encode(), id="a bracket is missing"),
        pytest.param(b"[models.a]\npath =\n", id="a value is missing"),
        pytest.param(b'extends = "models.toml\n', id="a quote is missing"),
        pytest.param(BUDGET.replace("models", "model").encode(), id="a table is misspelt"),
        pytest.param(b"[model.a]\n[model.a.budget]\nsize = 1", id="without a device"),
        pytest.param(b"[model.a]\n[model.a.budget]\nsize = '", id="misspelt and damaged"),
        pytest.param(b"[device]\nprofile = 'host'\n", id="a device alone"),
    ],
)
def test_a_damaged_budget_is_a_budget_wherever_it_lies(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pi4.toml"
    path.write_bytes(content)

    assert kinds(tmp_path) == {path: Kind.BUDGET}


@pytest.mark.parametrize(
    "content",
    [
        "[project]\nname = 'models'\n[tool.extends]\ndevice = 1\n",
        "[package]\nname = 'device'\n[features]\nextends = []\n",
        "[lint]\nselect = ['E']\n",
        "[device]\nname = 'a board of another tool'\n",
        "",
    ],
)
def test_toml_of_other_tools_is_something_else(tmp_path: Path, content: str) -> None:
    write(tmp_path, other=content)

    assert kinds(tmp_path) == {tmp_path / "other.toml": Kind.OTHER}


def test_in_a_folder_called_budgets_all_but_profiles_and_project_files_are_budgets(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "budgets"
    write(folder, empty="", words="[devise]\nprofile = 'host'\n", broken="[[[", board=PROFILE)
    write(folder, pyproject="[project]\n", Cargo="[package]\n")

    assert names(folder) == ["broken", "empty", "words"]
    assert kinds(folder)[folder / "board.toml"] is Kind.PROFILE


def test_a_base_is_left_out_when_a_budget_gets_to_it(tmp_path: Path) -> None:
    write(tmp_path, models="[models.a]\npath = 'a.tflite'\n")
    write(tmp_path, boards="extends = 'models.toml'\n", pi4=f"extends = 'boards.toml'\n{LIMITS}")

    assert names(tmp_path) == ["pi4"]


def test_a_base_is_left_out_when_the_budget_that_extends_it_is_damaged(tmp_path: Path) -> None:
    write(tmp_path, models="[models.a]\npath = 'a.tflite'\n", pi4="extends = 'models.toml'\n[[\n")

    assert names(tmp_path) == ["pi4"]


def test_files_that_extend_each_other_in_a_circle_are_not_left_out(tmp_path: Path) -> None:
    write(tmp_path, a="extends = 'b.toml'\n", b="extends = 'a.toml'\n")
    write(tmp_path, itself="extends = 'itself.toml'\n")

    assert names(tmp_path) == ["a", "b", "itself"]
