"""Which files a path stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.lint.files import Input, inputs

BUDGET = "[models.a]\npath = 'a.tflite'\n[models.a.budget]\nsize = '1 KiB'\n"


def write(root: Path, *names: str, content: str = "x") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


def names(found: list[Input], root: Path) -> list[str]:
    return [each.path.relative_to(root).as_posix() for each in found]


def test_a_folder_stands_for_models_and_budget_files_below_it_by_name(tmp_path: Path) -> None:
    write(tmp_path, "b/z.onnx", "b/a.TFLITE", "a.tflite", "weights.bin", "a/readme.md")
    write(tmp_path, "budgets/pi4.toml", content=BUDGET)

    found = inputs([tmp_path])

    assert names(found, tmp_path) == ["a.tflite", "b/a.TFLITE", "b/z.onnx", "budgets/pi4.toml"]
    assert [each.budget for each in found] == [False, False, False, True]


@pytest.mark.parametrize(
    "folder", [".git", ".cache/x", "node_modules/m", "__pycache__", "lib/site-packages"]
)
def test_caches_and_hidden_folders_are_left_out(tmp_path: Path, folder: str) -> None:
    write(tmp_path, "a.tflite", f"{folder}/b.tflite")

    assert names(inputs([tmp_path]), tmp_path) == ["a.tflite"]


def test_a_virtual_environment_is_left_out_whatever_its_name(tmp_path: Path) -> None:
    write(tmp_path, "a.tflite", "env/pyvenv.cfg", "env/lib/b.tflite")

    assert names(inputs([tmp_path]), tmp_path) == ["a.tflite"]


def test_a_hidden_folder_that_is_asked_for_is_looked_at(tmp_path: Path) -> None:
    write(tmp_path, ".models/a.tflite")

    assert names(inputs([tmp_path / ".models"]), tmp_path) == [".models/a.tflite"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", "[project]\nname = 'models'\n"),
        ("profile.toml", "title = 'models of ours'\nruntimes = ['litert']\n"),
        ("broken.toml", "models = ["),
        ("extends.toml", "extends = 5\nextra = 1\n[tool.models]\n"),
    ],
)
def test_toml_files_of_other_kinds_are_left_out_of_folders(
    tmp_path: Path, name: str, content: str
) -> None:
    write(tmp_path, "a.tflite")
    write(tmp_path, name, content=content)

    found = names(inputs([tmp_path]), tmp_path)

    assert found == (["a.tflite", name] if name == "extends.toml" else ["a.tflite"])


def test_a_damaged_file_that_looks_like_a_budget_stays(tmp_path: Path) -> None:
    write(tmp_path, "pi4.toml", content="[models.a]\npath =\n")

    assert names(inputs([tmp_path]), tmp_path) == ["pi4.toml"]


def test_a_base_that_is_named_stands_for_the_budgets_that_extend_it(tmp_path: Path) -> None:
    limits = "[models.a.budget]\nsize = '1 B'\n"
    write(tmp_path, "models.toml", content="[models.a]\npath = 'a.tflite'\n")
    write(tmp_path, "boards.toml", content="extends = 'models.toml'\n[device]\nthreads = 1\n")
    write(tmp_path, "pi4.toml", content=f"extends = 'boards.toml'\n{limits}")
    write(tmp_path, "pi5.toml", content=f"extends = ['models.toml']\n{limits}")
    write(tmp_path, "other.toml", content=BUDGET)

    assert names(inputs([tmp_path]), tmp_path) == ["other.toml", "pi4.toml", "pi5.toml"]
    assert names(inputs([tmp_path / "models.toml"]), tmp_path) == ["pi4.toml", "pi5.toml"]


def test_a_file_that_is_named_twice_is_looked_at_once(tmp_path: Path) -> None:
    write(tmp_path, "a.tflite", "b.tflite")

    found = inputs([tmp_path / "b.tflite", tmp_path, tmp_path / "x" / ".." / "a.tflite"])

    assert names(found, tmp_path) == ["b.tflite", "a.tflite"]


def test_a_link_to_the_folder_around_it_does_not_go_round_forever(tmp_path: Path) -> None:
    write(tmp_path, "a.tflite")
    (tmp_path / "again").symlink_to(tmp_path)

    assert names(inputs([tmp_path]), tmp_path) == ["a.tflite"]


@pytest.mark.parametrize("name", ["a.toml", "b.toml", "itself.toml"])
def test_a_budget_file_that_is_named_is_looked_at_though_it_extends_itself(
    tmp_path: Path, name: str
) -> None:
    write(tmp_path, "a.toml", content="extends = 'b.toml'\n")
    write(tmp_path, "b.toml", content="extends = 'a.toml'\n")
    write(tmp_path, "itself.toml", content="extends = 'itself.toml'\n")

    assert names(inputs([tmp_path / name]), tmp_path) == [name]


def test_a_profile_among_budgets_is_named_and_not_looked_at(tmp_path: Path) -> None:
    write(tmp_path, "budgets/board.toml", "board.toml", content="runtimes = ['litert']\n")
    write(tmp_path, "budgets/empty.toml", content="")

    (profile, empty) = inputs([tmp_path])

    assert (profile.path.name, profile.budget) == ("board.toml", False)
    assert profile.skipped == "not looked at: a device profile, not a budget file"
    assert (empty.path.name, empty.budget, empty.skipped) == ("empty.toml", True, "")


def test_a_path_that_is_too_long_for_the_system_stays(tmp_path: Path) -> None:
    for path in (Path("a" * 5000 + ".tflite"), Path("a" * 5000 + ".toml"), Path("a" * 5000)):
        assert [each.path.name for each in inputs([tmp_path / path])] == [path.name]
