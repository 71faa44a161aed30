"""Budget files that extend others."""

from __future__ import annotations

from pathlib import Path

from tests.budget.project import Project


def test_tables_are_merged_under_the_extending_file(project: Project) -> None:
    project.write(
        "shared/models.toml",
        """
        [device]
        profile = "raspberry-pi-4"
        threads = 2
        [models.k]
        path = "../keywords.tflite"
        data = "../data.npz"
        optimize = ["none", "float16"]
        budget = { size = "64 KiB", ram = { max = "1 MiB", level = "warn" } }
        """,
    )
    budget = project.read(
        """
        extends = "../shared/models.toml"
        device.threads = 4
        models.k.optimize = ["int8"]
        models.k.budget.ram.max = "2 MiB"
        """
    )

    (model,) = budget.models
    size, ram = model.limits
    assert (budget.device.profile.name, budget.device.threads) == ("raspberry-pi-4", 4)
    assert model.source == project.root / "keywords.tflite"
    assert [str(recipe) for recipe in model.optimize] == ["int8"]
    assert (size.max, ram.max, ram.level) == (65536, 2097152, "warn")
    assert (size.place.file, size.place.line) == (Path("shared/models.toml"), 9)
    assert (ram.place.file, ram.place.line) == (Path("budgets/pi4.toml"), 5)


def test_of_several_extended_files_the_later_one_wins(project: Project) -> None:
    project.write("budgets/a.toml", 'models.k = { path = "../net.onnx", budget.size = "1 KiB" }')
    project.write("budgets/b.toml", 'models.k = { path = "../net.onnx", budget.size = "2 KiB" }')

    budget = project.read('extends = ["a.toml", "b.toml"]')

    assert budget.models[0].limits[0].max == 2048


def test_a_model_of_an_extended_file_without_limits_is_for_other_devices(
    project: Project,
) -> None:
    project.write(
        "budgets/models.toml",
        """
        models.small.path = "../keywords.tflite"
        models.large.path = "../not/on/this/machine.tflite"
        """,
    )

    budget = project.read('extends = "models.toml"\nmodels.small.budget.size = "64 KiB"')

    assert [model.name for model in budget.models] == ["small"]


def test_mistakes_of_an_extended_file_are_told_with_its_name_and_line(project: Project) -> None:
    project.write("budgets/models.toml", '\n[models.k]\npath = "../keyword.tflite"\n')

    told = project.mistakes('extends = "models.toml"\nmodels.k.budget.size = 64')

    assert told == [
        'budgets/pi4.toml:2: models.k.budget.size: the unit is missing: write "64 KiB"',
        "budgets/models.toml:3: models.k.path: there is no ../keyword.tflite"
        " (did you mean keywords.tflite?)",
    ]


def test_a_circle_of_files_is_told_as_a_chain(project: Project) -> None:
    project.write("budgets/a.toml", 'extends = "b.toml"')
    project.write("budgets/b.toml", 'extends = "pi4.toml"')

    assert project.mistakes('extends = "a.toml"') == [
        "budgets/b.toml:1: extends: files extend each other in a circle: "
        "budgets/pi4.toml -> budgets/a.toml -> budgets/b.toml -> budgets/pi4.toml"
    ]


def test_all_extended_files_that_cannot_be_read_are_told(project: Project) -> None:
    project.write("budgets/broken.toml", "[models")

    assert project.mistakes('extends = ["no.toml", "broken.toml", "../budgets"]') == [
        "budgets/pi4.toml:1: extends[1]: there is no file budgets/no.toml",
        "budgets/pi4.toml:1: extends[3]: budgets is a folder, a budget file is meant",
        "budgets/broken.toml:1: not TOML: Expected ']' at the end of a table declaration",
    ]


def test_a_diamond_of_files_is_no_circle_and_its_mistakes_are_told_once(project: Project) -> None:
    project.write("budgets/base.toml", 'models.k = { path = "../net.onnx", budget.size = 1 }')
    project.write("budgets/a.toml", 'extends = "base.toml"')
    project.write("budgets/b.toml", 'extends = "base.toml"')

    (told,) = project.mistakes('extends = ["a.toml", "b.toml"]')

    assert told.startswith("budgets/base.toml:1: models.k.budget.size")
