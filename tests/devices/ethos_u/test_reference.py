"""
Published models through the whole gate on an Ethos-U55, with the figures that are known of them.

Cycles, SRAM: Vela 5.2.0's own command line. Accuracies on all samples: the READMEs of the
models, by LiteRT; here a part of the samples runs, in TensorFlow Lite Micro.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = [pytest.mark.reference, pytest.mark.slow]

DATA = """
import numpy as np

def part(name, change):
    with np.load(f"{models}/{name}/data.npz") as arrays:
        return {k: change(arrays[k][::8]) if k == "x_test" else arrays[k][::8] for k in ("x_test", "y_test")}

def kws():
    return part("kws_dscnn", lambda x: x.astype(np.int8))

def resnet():
    return part("ic_resnet8", lambda x: x.astype(np.float32))
"""

BUDGET = """
[device]
profile = "ethos-u55-128"

[models.kws]
path = "{models}/kws_dscnn/models/kws_int8.tflite"
data = "reference_data:kws"
[models.kws.budget]
npu_cycles   = 89_900
npu_sram     = "21.7 KiB"
cpu_fallback = 0
accuracy     = {{ min = "84 %" }}

[models.resnet]
path = "{models}/ic_resnet8/models/resnet8_int8.tflite"
data = "reference_data:resnet"
[models.resnet.budget]
npu_cycles   = 201_746
npu_time     = "0.404 ms"
ram          = {{ max = "56 KiB", evidence = ["estimated"] }}
accuracy     = {{ min = "75 %" }}
"""


def test_published_models_keep_what_is_known_and_break_one_cycle_less(
    reference_models: Path, pytester: pytest.Pytester
) -> None:
    pytest.importorskip("tflite_micro", reason="pip install 'pytest-edgebudget[mcu]'")
    if version("ethos-u-vela") != "5.2.0":
        pytest.skip("the figures are Vela 5.2.0's")
    pytester.makepyfile(reference_data=f"models = {str(reference_models)!r}\n{DATA}")
    pytester.makefile(".toml", npu=BUDGET.format(models=reference_models))
    result = pytester.runpytest_subprocess(
        "--edge-budget=npu.toml", "--edge-budget-report=json:report.json", timeout=300
    )
    result.assert_outcomes(passed=7 + 2, failed=1)
    result.stdout.fnmatch_lines(["*resnet: npu_cycles is broken: *over the limit*"])
    report = json.loads(Path("report.json").read_text())
    found = {(row["model"], row["metric"]): row["after"] for row in report["limits"]}
    assert found["kws", "npu_cycles"]["value"] == 89_900
    assert found["resnet", "npu_cycles"]["value"] == 201_747
    assert found["resnet", "npu_time"]["value"] == pytest.approx(0.000404, rel=0.002)
    assert {found[name, "accuracy"]["evidence"] for name in ("kws", "resnet")} == {"emulated"}
    assert 0.84 < found["kws", "accuracy"]["value"] < 0.96  # README: 0.9025 of 800
    assert 0.75 < found["resnet", "accuracy"]["value"] < 0.98  # 0.8847 of 399
