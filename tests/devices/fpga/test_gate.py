"""A budget for an FPGA, from the file to the verdict."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_edgebudget.build import source_artifact
from pytest_edgebudget.errors import Place
from pytest_edgebudget.graph.keras import read_keras
from pytest_edgebudget.store import Store
from pytest_edgebudget.types import Artifact, FunctionRef, ModelBudget

from .conftest import EXAMPLES, lacking

BUDGET = """
[device]
profile = "pynq-z2"

[models.tumours]
path     = "tumours.keras"
data     = "data.npz"
optimize = ["fixed_point(8, 3)", "fixed_point(10, 4, round=true, saturate=true)"]

[models.tumours.budget]
auc      = { min = "99 %", max_drop = "0.5 pp" }
accuracy = "96 %"
size     = "64 KiB"
latency  = { max = "1 us", when_missing = "skip" }
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    for name in ("tumours.keras", "data.npz"):
        shutil.copy(EXAMPLES / "tumours" / name, pytester.path)
    pytester.makeini("[pytest]")
    pytester.path.joinpath("fpga.toml").write_text(BUDGET)
    return pytester.path


@pytest.mark.slow
def test_the_narrowest_numbers_break_the_model_and_wider_ones_keep_it(
    project: Path, pytester: pytest.Pytester
) -> None:
    """Results of ``ap_fixed<8,3>`` that do not fit begin anew: the answers are noise."""
    if reason := lacking():
        pytest.skip(reason)
    result = pytester.runpytest_subprocess(
        "--edge-budget=fpga.toml", "--edge-budget-report=markdown:report.md", timeout=500
    )

    result.stdout.fnmatch_lines(
        ["tumours: fixed_point(10, 4, round=true, saturate=true)", "* auc *emulated*kept"]
    )
    result.stdout.fnmatch_lines(["* size *exact*kept"])
    assert result.ret == pytest.ExitCode.OK

    again = pytester.runpytest_subprocess("--edge-budget=fpga.toml", timeout=500)
    assert again.ret == pytest.ExitCode.OK
    assert again.duration < result.duration / 2  # nothing is converted, compiled or run


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (
            'optimize = ["fixed_point(8, 3)", "fixed_point(10, 4, round=true, saturate=true)"]',
            "",
            "an FPGA computes in fixed-point numbers, and the model has none "
            '(write optimize = ["fixed_point(16, 6)"])',
        ),
        ("fixed_point(8, 3)", "int8", '"int8" does not work on .keras models'),
        ("fixed_point(8, 3)", "fixed_point(8)", "fixed_point needs integer: "),
        (
            'profile = "pynq-z2"',
            'profile = "pynq-z2"\nrun = "host"',
            "hls4ml runs without an operating system",
        ),
        (
            'profile = "pynq-z2"',
            'profile = "raspberry-pi-4"',
            '"fixed_point" does not work on .tflite models',
        ),
    ],
)
def test_what_does_not_fit_an_fpga_is_a_mistake_of_the_budget_file(
    pytester: pytest.Pytester, right: str, wrong: str, said: str
) -> None:
    path = pytester.path / "fpga.toml"
    path.write_text(path.read_text().replace(right, wrong, 1))
    result = pytester.runpytest_inprocess("--edge-budget=fpga.toml")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{said.replace('[', '[[]')}*"])


ZOO = """
def net():
    import keras
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2, name="only")])

def old():
    net().save("old.h5")
    return "old.h5"
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_function_and_an_old_file_become_keras_files(tmp_path: Path) -> None:
    """The same model has the same bytes each time, or no lock would hold."""
    if reason := lacking():
        pytest.skip(reason)
    (tmp_path / "fpgazoo.py").write_text(ZOO)
    store = Store(tmp_path / "cache", limit=2**30)

    def source(name: str) -> Artifact:
        model = ModelBudget(
            name="net", source=FunctionRef("fpgazoo", name), place=Place(tmp_path, 1)
        )
        return source_artifact(model, formats=("keras",), root=tmp_path, store=store)

    one, two, old = source("net"), source("net"), source("old")
    assert one.format == old.format == "keras"
    assert one.sha256 == two.sha256
    assert read_keras(old.path).size == old.size
