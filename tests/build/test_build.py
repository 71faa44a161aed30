from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.types import Step

from .conftest import DIGITS, PASSES, Bench, recipe_of


def test_an_artifact_is_what_the_pass_alone_makes(bench: Bench) -> None:
    artifact = bench.build("weights_int8")
    assert str(artifact.recipe) == "weights_int8"
    assert artifact.size == artifact.path.stat().st_size
    assert artifact.sha256 == hashlib.sha256(artifact.path.read_bytes()).hexdigest()
    before, after = graph.read(DIGITS / "digits.tflite"), graph.read(artifact.path)
    assert PASSES["weights_int8"].check(before, after, Step("weights_int8")) == ""


def test_none_is_the_source_itself_and_starts_nothing(bench: Bench, no_jobs) -> None:
    no_jobs()
    source = bench.digits()
    assert bench.build("none") == replace(source, recipe=recipe_of("none"))


def test_a_second_build_comes_from_the_cache(bench: Bench, no_jobs) -> None:
    first = bench.build("int8")
    no_jobs()
    assert bench.build("int8") == first


def test_steps_are_applied_one_after_the_other(bench: Bench) -> None:
    artifact = bench.build(Step("prune", (0.1,)), "int8", source=bench.digits(".onnx"))
    assert str(artifact.recipe) == "prune(0.1)+int8"
    assert artifact.path.suffix == ".onnx"
    assert artifact.sha256 != bench.build("int8", source=bench.digits(".onnx")).sha256


def test_a_damaged_artifact_is_built_again_and_said(bench: Bench) -> None:
    first = bench.build("float16")
    content = bytearray(first.path.read_bytes())
    content[len(content) // 2] ^= 1
    first.path.chmod(0o644)
    first.path.write_bytes(content)
    assert bench.build("float16") == first
    assert hashlib.sha256(first.path.read_bytes()).hexdigest() == first.sha256
    assert len(bench.store.repairs) == 1
    assert first.sha256 in bench.store.repairs[0]


def test_other_calibration_data_makes_another_artifact(bench: Bench, tmp_path: Path) -> None:
    first = bench.build("int8")
    with np.load(DIGITS / "data.npz") as file:
        np.savez(tmp_path / "half.npz", x_calibration=file["x_calibration"] / 2)
    bench.data = bench.load(tmp_path / "half.npz")
    assert bench.build("int8").sha256 != first.sha256


def test_other_test_data_makes_no_difference(bench: Bench, tmp_path: Path, no_jobs) -> None:
    first = bench.build("int8")
    with np.load(DIGITS / "data.npz") as file:
        calibration = file["x_calibration"]
    np.savez(tmp_path / "other.npz", x_calibration=calibration, x_test=np.zeros((3, 64)))
    bench.data = bench.load(tmp_path / "other.npz")
    no_jobs()
    assert bench.build("int8") == first


def test_calibration_takes_the_first_200_samples(bench: Bench, tmp_path: Path) -> None:
    with np.load(DIGITS / "data.npz") as file:
        calibration = file["x_calibration"][:200]
    np.savez(tmp_path / "exact.npz", x_calibration=calibration)
    wild = np.concatenate([calibration, 1000 * np.ones_like(calibration)])
    np.savez(tmp_path / "more.npz", x_calibration=wild)
    made = []
    for name in ("exact", "more"):
        bench.data = bench.load(tmp_path / f"{name}.npz")
        made.append(bench.build("int8").sha256)
    assert len(calibration) == 200
    assert made[0] == made[1]


def test_without_calibration_data_int8_says_what_to_add(bench: Bench, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x_test=np.zeros((3, 64)))
    bench.data = bench.load(tmp_path / "data.npz")
    with pytest.raises(BuildError) as caught:
        bench.build("int8")
    assert str(caught.value) == (
        f"int8 needs calibration data, but {tmp_path / 'data.npz'} has no x_calibration\n"
        "  add some 100 typical inputs as x_calibration"
    )
    bench.data = None
    with pytest.raises(BuildError, match="int8 needs calibration data, but the model has no data"):
        bench.build("int8")


def test_a_misspelt_pass_is_answered_with_the_right_name(bench: Bench) -> None:
    with pytest.raises(BuildError) as caught:
        bench.build("int9")
    assert str(caught.value) == "there is no pass int9\n  did you mean int8?"


def test_an_integer_model_cannot_become_int8_again(bench: Bench) -> None:
    source = bench.build("int8")
    with pytest.raises(BuildError, match="int8 needs a float model, but weights are int8 already"):
        bench.build("int8", source=source)


# --- passes of the user's own -----------------------------------------------------


def test_a_pass_of_ones_own_is_applied(bench: Bench) -> None:
    bench.own_pass("copy", "shutil.copy(job.model, job.out)")
    assert bench.build("copy").sha256 == bench.digits().sha256


def test_a_changed_pass_is_applied_again(bench: Bench) -> None:
    bench.own_pass("copy", "shutil.copy(job.model, job.out)")
    bench.build("copy")
    bench.own_pass("copy", "raise ValueError('changed')")
    with pytest.raises(BuildError, match="ValueError: changed"):
        bench.build("copy")


def test_a_broken_promise_is_a_build_error_with_the_sentence_of_the_check(bench: Bench) -> None:
    bench.own_pass("idle", "shutil.copy(job.model, job.out)", check="nothing happened")
    with pytest.raises(BuildError, match="idle does not keep its promise: nothing happened"):
        bench.build("idle")


def test_every_step_of_a_recipe_is_checked(bench: Bench) -> None:
    bench.own_pass("idle", "shutil.copy(job.model, job.out)", check="nothing happened")
    with pytest.raises(BuildError, match="idle does not keep its promise"):
        bench.build("idle", "weights_int8")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("os.kill(os.getpid(), 11)", r"killed by SIGSEGV \(11\) while applying bad"),
        ("pass", "bad wrote no file"),
        ("open(job.out, 'w').write('hello')", "bad made no usable model: "),
        ("raise KeyError('scale')", "while applying bad: KeyError: 'scale'"),
        ("open(job.model, 'ab')", "while applying bad: PermissionError"),
    ],
    ids=["crash", "no file", "no model", "exception", "touches its input"],
)
def test_a_pass_that_fails_is_one_sentence(body: str, sentence: str, bench: Bench) -> None:
    if "job.model, 'ab'" in body and _root():
        pytest.skip("root may write read-only files")
    bench.own_pass("bad", body)
    with pytest.raises(BuildError, match=sentence):
        bench.build("bad")


def _root() -> bool:
    import os

    return hasattr(os, "geteuid") and os.geteuid() == 0


def test_a_failed_build_leaves_nothing_and_the_next_one_goes_on(bench: Bench) -> None:
    bench.own_pass("bad", "raise ValueError('no')")
    with pytest.raises(BuildError):
        bench.build("bad")
    before = bench.store.info().entries
    assert bench.build("float16").size < bench.digits().size
    assert bench.store.info().entries == before + 2


def test_a_lambda_cannot_be_a_pass(bench: Bench) -> None:
    bench.passes["odd"] = replace(PASSES["none"], name="odd", apply=lambda job: None)
    with pytest.raises(BuildError, match="odd is not a function at the top of a module"):
        bench.build("odd")


def test_a_pass_for_another_format_is_refused(bench: Bench) -> None:
    bench.own_pass("copy", "shutil.copy(job.model, job.out)")
    with pytest.raises(BuildError, match=r"copy works on \.tflite, the model is \.onnx"):
        bench.build("copy", source=bench.digits(".onnx"))


# --- runtimes -----------------------------------------------------------------------


def test_a_file_that_the_runtime_refuses_is_no_artifact(bench: Bench) -> None:
    """An op code that LiteRT does not know: a file that reads well and does not run."""
    bench.own_pass(
        "alien",
        "from ai_edge_litert.tools import flatbuffer_utils as f; "
        "m = f.read_model(str(job.model)); "
        "[setattr(c, 'version', 99) for c in m.operatorCodes]; "
        "f.write_model(m, str(job.out))",
    )
    with pytest.raises(BuildError, match="litert refuses what alien made: Didn't find op"):
        bench.build("alien")


def test_an_old_runtime_refuses_what_it_would_compute_wrongly(bench: Bench) -> None:
    pytest.importorskip("tflite_runtime", reason="pip install 'pytest-edgebudget[tflite-runtime]'")
    if int(np.__version__.split(".")[0]) > 1:
        pytest.skip("tflite-runtime needs numpy below 2")
    with pytest.raises(BuildError, match="tflite-runtime refuses what dynamic_int8 made"):
        bench.build("dynamic_int8", runtime="tflite-runtime")
    assert bench.build("int8", runtime="tflite-runtime").size < bench.digits().size


def test_a_runtime_that_is_not_in_this_python_is_noted(bench: Bench) -> None:
    (bench.root / "tflite_runtime.py").write_text("raise ImportError('not for this machine')\n")
    artifact = bench.build("float16", runtime="tflite-runtime")
    assert artifact.notes == (
        "not tried in tflite-runtime: tflite-runtime cannot be imported: not for this machine",
    )


def test_a_crash_of_the_runtime_names_the_signal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bench.root / "crash.py").write_text(
        "import os\ndef reload(payload): os.kill(os.getpid(), 11)\n"
    )
    from pytest_edgebudget import jobs

    def run(function: str, payload, **options):
        crash = function.endswith(":reload")
        return jobs.run("crash:reload" if crash else function, payload, **options)

    monkeypatch.setattr("pytest_edgebudget.build.recipes.run", run)
    with pytest.raises(BuildError) as caught:
        bench.build("float16")
    assert caught.value.message == (
        "killed by SIGSEGV (11) while running what float16 made in litert"
    )


# --- several runs at once -------------------------------------------------------------

BUILDER = """
    import sys
    from pathlib import Path
    from tests.build.conftest import Bench
    from pytest_edgebudget.build import recipes

    run = recipes.run
    recipes.run = lambda function, payload, **o: (print(function), run(function, payload, **o))[1]
    print("sha", Bench(Path(sys.argv[1])).build("weights_int8").sha256)
"""


def test_runs_at_the_same_time_build_once(bench: Bench) -> None:
    code = textwrap.dedent(BUILDER)
    command = [sys.executable, "-c", code, str(bench.root)]
    here = Path(__file__).parents[2]
    builders = [
        subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = [builder.communicate(timeout=120)[0].splitlines() for builder in builders]
    assert len({lines[-1] for lines in said}) == 1
    started = [line for lines in said for line in lines if line.endswith(":apply_steps")]
    assert len(started) == 1
