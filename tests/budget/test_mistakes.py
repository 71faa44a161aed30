"""A wrong budget file is told in sentences, all at once, with line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.budget import read_budget
from pytest_edgebudget.errors import BudgetError
from tests.budget.project import Project

AT = "budgets/pi4.toml:5: models.k.budget."


@pytest.mark.parametrize(
    ("limit", "mistake"),
    [
        ("size = 64", 'size: the unit is missing: write "64 KiB"'),
        ('size = "64 kb"', 'size: "kb" is not a unit here: write "64 KB"'),
        (
            'latency = "8 KiB"',
            'latency: "KiB" is not a unit here: write "8 ms" (units: ns us ms s min h d)',
        ),
        ('size = "-1 KiB"', "size: a negative quantity makes no sense here"),
        ("mae = -1.0", "mae: a negative limit makes no sense here"),
        ("cosine = 2", "cosine: cosine lies in -1..1 (no reading is beyond it)"),
        ("cosine = { min = 0.9, max = 1.5 }", "cosine.max: cosine lies in -1..1"),
        ("cosine = -1.01", "cosine: cosine lies in -1..1"),
        ("accuracy = 90", 'accuracy: a fraction lies in 0..1: write 0.9 or "90 %"'),
        ("size = true", "size: must be a quantity, or a table of bounds"),
        ('sise = "1 KiB"', 'sise: there is no metric "sise" (did you mean size?)'),
        ('update_size = "2 KiB"', 'update_size: the metric "update_size" is not available'),
        (
            'activation_plan = { max = "1 KiB", level = "error" }',
            "activation_plan.level: activation_plan is information: its limits are warnings",
        ),
        (
            'size = { maximum = "1 KiB" }',
            'size.maximum: unknown key "maximum" (did you mean max?)',
        ),
        ("ram = {}", "ram: limits nothing (give max, min, max_drop, max_regression or ratchet)"),
        ('ram = { level = "warn" }', "ram: limits nothing"),
        (
            'ram = { min = "2 KiB", max = "1 KiB" }',
            "ram.min: nothing can keep this limit: its min is above its max",
        ),
        (
            'size = { max_drop = "1 KiB" }',
            "size.max_drop: size is not compared with the source model "
            "(max_regression compares with the lock)",
        ),
        (
            "accuracy = { min = 0.9, max_drop = 0.01 }",
            'accuracy.max_drop: write "1 pp" (percentage points) or "2%" (of the other value)',
        ),
        (
            'ram = { max_regression = "1 pp" }',
            'ram.max_regression: "pp" is for fractions: write "2%" or "64 KiB"',
        ),
        ('ram = { max = "1 KiB", min_change = "1%" }', "ram.min_change: needs max_regression"),
        ('ram = { max = "1 KiB", level = "waring" }', 'ram.level: must be "error" or "warn"'),
        (
            'ram = { max = "1 KiB", evidence = [] }',
            "ram.evidence: the list is empty: no evidence would count",
        ),
        (
            'ram = { max = "1 KiB", evidence = ["mesured"] }',
            'ram.evidence[1]: there is no evidence "mesured" (did you mean measured?)',
        ),
        (
            'ram = { max = "1 KiB", evidence = "measured" }',
            "ram.evidence: must be a list of strings (such as: evidence = "
            '["measured", "estimated"])',
        ),
        (
            'size = { max = "1 KiB", evidence = ["measured"] }',
            "size.evidence: size is computed: it is always exact",
        ),
        (
            'ram = { max = "1 KiB", confidence = 0.3 }',
            "ram.confidence: a confidence lies between 0.5 and 1, such as 0.95",
        ),
        (
            'ram = { max = "1 KiB", slices = "room" }',
            "ram.slices: ram is not judged sample by sample",
        ),
        (
            "accuracy = { min = 0.9, slices_min = 0.8 }",
            'accuracy.slices_min: needs slices, such as slices = "speaker"',
        ),
        (
            'accuracy = { max = 0.9, slices = "room", slices_min = 0.95 }',
            "accuracy.slices_min: nothing can keep this limit: its min is above its max",
        ),
        ("top_k = { min = 0.9, k = 1.5 }", "top_k.k: must be a whole number"),
        (
            'top_k = { min = 0.9, average = "mean" }',
            'top_k.average: must be "macro" or "micro"',
        ),
        ("macs = 1.5", 'macs: a count is a whole number: write 1200000 or "1.2 M"'),
        ("accuracy = { min = nan }", "accuracy.min: a quantity is a finite number"),
    ],
)
def test_a_wrong_limit_is_refused(project: Project, limit: str, mistake: str) -> None:
    (told,) = project.mistakes(project.model(limit))

    assert told.startswith(AT + mistake)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "1: there is no limit in this file ([models.NAME.budget] holds the limits of a model)"),
        ("a = ", "1: not TOML: Invalid value"),
        ("x = 1\n[models.a]\n[models.a]\n", "3: models.a: two models have the name a (rename one model)"),
        ("[device]\n[device]\n", "2: device: this table is written twice (put its keys under one header)"),
        (b"a = '\xff'", "1: not TOML: the text is not UTF-8 (save it as UTF-8)"),
        (b"a = " + b"[" * 5000, "1: not a budget file: nested too deeply"),
        ("a = " + "1" * 5000, "1: not TOML: Exceeds the limit"),
        ("[model.k]", '1: model: unknown key "model" (did you mean models?)'),
        ("models = 1", "1: models: must be a table"),
        ('[device]\nprofile = "raspbery-pi-4"', '2: device.profile: there is no profile "raspbery-pi-4" (did you mean raspberry-pi-4?)'),
        ('[device]\nprofile = "my/pi.toml"', "2: device.profile: there is no my/pi.toml: its folder does not exist"),
        ('[device]\nrun = "usb"', '2: device.run: there is no way to run called "usb"'),
        ('[device]\nsamples = 0', '2: device.samples: at least one sample must run'),
        ('[device]\nsustained = "5"', '2: device.sustained: '),
        ('[device]\nsustained = "90 min"', '2: device.sustained: at most an hour'),
        ('[device]\nrun = "host://x"', '2: device.run: host takes no address'),
        ('[device]\nprofile = "raspberry-pi-4"\nthreads = 8', "3: device.threads: raspberry-pi-4 has 4 cores"),
        ("[device]\nthreads = 0", "2: device.threads: at least one thread runs a model"),
        ('[device]\nthreads = "two"', "2: device.threads: must be a whole number (such as: threads = 1)"),
        ('[device]\nruntime = "litter"', '2: device.runtime: host has no runtime "litter" (did you mean litert?)'),
        ('[device]\npython = "no-such-python"', "2: device.python: there is no Python interpreter no-such-python"),
        ('[device]\nthread = 2', '2: device.thread: unknown key "thread" (did you mean threads?)'),
        ('[defaults]\nmax_regression = "1 KiB"', '2: defaults.max_regression: for all metrics alike it is relative: write "2%"'),
        ('[models."a/b"]\npath = "m:f"\nbudget.macs = 1', '1: models."a/b": "a/b" is not a name'),
        ('[models.k]\npath = "m:f"', "1: models.k: the model has no limits (write [models.k.budget])"),
        ("[models.k.budget]\nmacs = 1", '1: models.k: the key "path" is missing (such as: path = '),
        ('[models.k]\npath = "m:f"\nstate = "kept"\nbudget.macs = 1', '3: models.k.state: must be "reset" or "carried"'),
        ('[models.k]\npath = "m:f"\nbudget.accuracy = 0.9', "3: models.k.budget.accuracy: accuracy needs data with x_test"),
        ('[models.k]\npath = "m:f"\nbudget.macs = 1\n[models.k.waive.size]\nreason = "x"\nuntil = 2027-01-31', '4: models.k.waive.size: there is no limit "size" to waive'),
        ('[models.k]\npath = "m:f"\nbudget.macs = 1\n[models.k.waive.macs]\nreason = "x"\nuntil = "2027-01-31"', "6: models.k.waive.macs.until: must be a date without quotes, such as 2027-01-31"),
        ('[models.k]\npath = "m:f"\nbudget.macs = 1\n[models.k.waive.macs]\nuntil = 2027-01-31', '4: models.k.waive.macs: the key "reason" is missing'),
        ('[models.k]\npath = "m:f"\nbudget.macs = 1\n[models.k.metrics.size]\nfunction = "a:b"\nbetter = "lower"', '4: models.k.metrics.size: "size" is the name of a built-in metric'),
        ('[models.k]\npath = "m:f"\nbudget.macs = 1\n[models.k.metrics.wer]\nfunction = "a.b"\nbetter = "lower"', '5: models.k.metrics.wer.function: "a.b" is not a function (write package.module:function)'),
        ('models.k = { path = "m:f", budget.macs = 1 }\ngroups.k = { models = ["k"], budget.macs = 1 }', '2: groups.k: a model has the name "k" too (rename the group)'),
        ('models.k = { path = "m:f", budget.macs = 1 }\ngroups.g = { models = ["j"], budget.macs = 1 }', '2: groups.g.models[1]: there is no model "j"'),
        ('models.k = { path = "m:f", budget.macs = 1 }\ngroups.g = { models = ["k", "k"], budget.macs = 1 }', '2: groups.g.models[2]: "k" is listed twice'),
        ('models.k = { path = "m:f", budget.macs = 1 }\ngroups.g = { models = [], budget.macs = 1 }', "2: groups.g.models: the group has no models"),
        ('models.k = { path = "m:f", budget.macs = 1 }\ngroups.g = { models = ["k"], budget = {} }', "2: groups.g.budget: the group has no limits"),
        ('models.k = { path = "m:f", budget.macs = 1 }\ngroups.g = { models = ["k"], budget.ram = "1 KiB" }', "2: groups.g.budget.ram: ram cannot be summed over models (can be: activation_plan, macs, size)"),
        ('models.k = { path = "m:f", budget.macs = 1 }\ngroups.g = { models = ["k"], budget.macs = { min = 1, max = 2 } }', "2: groups.g.budget.macs.min: a group is limited by max only"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused(project: Project, text: str | bytes, mistake: str) -> None:
    (told,) = project.mistakes(text)

    assert told.startswith(f"budgets/pi4.toml:{mistake}")


@pytest.mark.parametrize(
    ("recipe", "mistake"),
    [
        ("int9", 'there is no pass "int9" (did you mean int8?)'),
        ("fit", '"fit" stands alone (write optimize = "fit")'),
        ("int8+", '"int8+" is not a recipe: write steps such as "prune(0.3)+int8"'),
        ("prune", "prune needs fraction: the share of weights to zero"),
        ("prune(1.5)", "prune: fraction must be between 0 and 0.95, not 1.5"),
        ("prune(nan)", "prune: fraction must be between 0 and 0.95, not nan"),
        ("prune(half)", "prune: fraction must be a number, not half"),
        ("prune(0.3, seed=0.5)", "prune: seed must be a whole number, not 0.5"),
        ("prune(0.3, blocks=yes)", "prune: blocks must be true or false, not yes"),
        ("prune(0.3, 1, true, 4)", "prune takes fewer arguments (its arguments: fraction, seed, blocks)"),
        ("prune(0.3, speed=1)", 'prune takes no argument "speed" (its arguments: fraction, seed, blocks)'),
        ("prune(0.3, fraction=0.2)", "prune is given fraction twice"),
        ("int8(3)", "int8 takes fewer arguments (it takes none)"),
        ("none+int8", '"none" stands alone: "none+int8" has other steps too'),
    ],
)  # fmt: skip
def test_a_wrong_recipe_is_refused(project: Project, recipe: str, mistake: str) -> None:
    text = f"""
        [models.k]
        path = "../keywords.tflite"
        optimize = ["none", "{recipe}"]
        budget.size = "1 MiB"
    """

    assert project.mistakes(text) == [f"budgets/pi4.toml:4: models.k.optimize[2]: {mistake}"]


def test_recipes_that_mean_the_same_are_duplicates(project: Project) -> None:
    told = project.mistakes(
        """
        [models.k]
        path = "../net.onnx"
        optimize = [
            "prune(0.3)",
            "prune(fraction=0.30, seed=0)",
            "int4_weights",
            "int8",
        ]
        budget.size = "1 MiB"
        """
    )

    assert told == [
        'budgets/pi4.toml:4: models.k.optimize: "int8" needs data with x_calibration'
        ' (such as: data = "data.npz")',
        'budgets/pi4.toml:6: models.k.optimize[2]: "prune(0.3)" is listed twice',
        'budgets/pi4.toml:7: models.k.optimize[3]: "int4_weights" does not work on .onnx models',
    ]


def test_all_mistakes_of_a_file_are_told_at_once_in_its_order(project: Project) -> None:
    told = project.mistakes(
        """
        [device]
        profile = "raspberry-pi-9"
        thread = 1

        [models.k]
        path = "../keyword.tflite"
        data = "../data.npz"
        optimize = ["int9", "fit"]

        [models.k.budget]
        size = 64
        acuracy = 0.9
        latency = { min = "9 ms", max = "8 ms" }
        """
    )

    assert told == [
        'budgets/pi4.toml:3: device.profile: there is no profile "raspberry-pi-9"'
        " (did you mean raspberry-pi-4?)",
        'budgets/pi4.toml:4: device.thread: unknown key "thread" (did you mean threads?)',
        "budgets/pi4.toml:7: models.k.path: there is no ../keyword.tflite"
        " (did you mean keywords.tflite?)",
        'budgets/pi4.toml:9: models.k.optimize[1]: there is no pass "int9" (did you mean int8?)',
        'budgets/pi4.toml:9: models.k.optimize[2]: "fit" stands alone (write optimize = "fit")',
        'budgets/pi4.toml:12: models.k.budget.size: the unit is missing: write "64 KiB"',
        'budgets/pi4.toml:13: models.k.budget.acuracy: there is no metric "acuracy"'
        " (did you mean accuracy?)",
        "budgets/pi4.toml:14: models.k.budget.latency.min: nothing can keep this limit:"
        " its min is above its max",
    ]


def test_a_missing_budget_file_is_one_sentence(project: Project) -> None:
    with pytest.raises(BudgetError) as error:
        read_budget(Path("no.toml"), project.registry, root=project.root)

    assert str(error.value).endswith(
        "no.toml:1: there is no file " + str(Path("no.toml").absolute())
    )


def test_a_folder_in_place_of_a_budget_file_is_one_sentence(project: Project) -> None:
    with pytest.raises(BudgetError) as error:
        read_budget(project.root, project.registry, root=project.root)

    assert "is a folder, a budget file is meant" in str(error.value)
