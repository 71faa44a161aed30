"""What an external delegate took is read from the graph, and never believed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.worker.accelerated import DIGITS, RESHAPE, SOFTMAX
from tests.worker.talk import Talk

MODEL = DIGITS / "digits.tflite"
DATA = DIGITS / "data.npz"
RUNTIMES = [
    pytest.param("litert", "ai_edge_litert", id="litert"),
    pytest.param("tflite-runtime", "tflite_runtime", id="tflite-runtime"),
]


@pytest.fixture(scope="module")
def copier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A delegate that takes what it is told to, compiled from delegate.c."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("the delegate is compiled here: apt install gcc")
    library = tmp_path_factory.mktemp("delegate") / "copier.so"
    source = Path(__file__).parent / "delegate.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def hello(talk: Talk, runtime: str, library: Path, **options: str) -> dict[str, Any]:
    return talk.ok("hello", runtime=runtime, delegate=str(library), options=options)


@pytest.mark.parametrize(("runtime", "module"), RUNTIMES)
def test_what_a_delegate_takes_is_read_from_the_graph(
    runtime: str, module: str, copier: Path, tmp_path: Path
) -> None:
    pytest.importorskip(module)
    with Talk() as talk:
        talk.open(runtime, MODEL)
        plain = talk.run(DATA, tmp_path / "plain.npz", first=20)
        assert (
            talk.ask("placement")["error"]["message"]
            == f"{runtime} runs the model on the CPU alone"
        )
    with Talk() as talk:
        hello(talk, runtime, copier, take=f"{RESHAPE}")
        talk.ok("load", path=str(MODEL), threads=1)
        assert talk.ok("placement") == {
            "how": "graph",
            "accelerator": "copier.so",
            "software": False,
            "operators": 7,
            "pieces": [[3]],
            "idle": "",
        }
        delegated = talk.run(DATA, tmp_path / "delegated.npz", first=20)
    np.testing.assert_array_equal(delegated["output_0"], plain["output_0"])
    with Talk() as talk:  # copying is no softmax: what it computes is what counts
        hello(talk, runtime, copier, take=f"{RESHAPE},{SOFTMAX}")
        talk.ok("load", path=str(MODEL), threads=1)
        assert talk.ok("placement")["pieces"] == [[3], [6]]
        wrong = talk.run(DATA, tmp_path / "wrong.npz", first=20)
    assert np.abs(wrong["output_0"] - plain["output_0"]).max() > 1


def test_a_delegate_that_takes_nothing_is_told_and_nothing_runs(copier: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    with Talk() as talk:
        hello(talk, "litert", copier)
        talk.ok("load", path=str(MODEL), threads=1)
        placement = talk.ok("placement")
        idle = "the delegate copier.so takes not one operator of the model"
        assert (placement["pieces"], placement["idle"]) == ([], idle)
        said = {
            "kind": "platform",
            "message": f"{idle}, and the CPU's answers are not asked for",
            "hint": "",
        }
        assert talk.ask("time", runs=1, warmup=0)["error"] == said
        assert talk.ask("memory", path=str(MODEL), threads=1)["error"] == said


def test_a_delegate_that_fails_says_so(copier: Path, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    with Talk() as talk:
        hello(talk, "litert", copier, take=f"{RESHAPE}", fail="yes")
        error = talk.ask("load", path=str(MODEL), threads=1)["error"]
        assert error["kind"] == "model"
        assert error["message"].startswith(f"the delegate {copier} fails on this model: ")
        assert "(Copier) failed to prepare" in error["message"]
    with Talk() as talk:
        hello(talk, "litert", copier, tkae="22")
        error = talk.ask("load", path=str(MODEL), threads=1)["error"]
        assert error["kind"] == "accelerator"
        assert error["message"].endswith("unknown option")


def test_a_library_that_is_missing_or_no_delegate_is_told(copier: Path, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    for library, said in (
        (tmp_path / "no.so", "no.so: cannot open shared object file: No such file or directory"),
        (_plain_library(tmp_path), "is no delegate: it has no tflite_plugin_create_delegate"),
    ):
        with Talk() as talk:
            hello(talk, "litert", library)
            error = talk.ask("load", path=str(MODEL), threads=1)["error"]
            assert error["kind"] == "accelerator"
            assert error["message"].endswith(said)


def _plain_library(folder: Path) -> Path:
    (folder / "plain.c").write_text("int answer(void) { return 42; }\n")
    library = folder / "plain.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, folder / "plain.c"], check=True)
    return library


def test_a_runtime_without_what_was_asked_for_refuses() -> None:
    with Talk() as talk:
        for runtime, asked, said in (
            ("litert", {"provider": "CUDA"}, "litert has no provider 'CUDA'"),
            ("tflite-runtime", {"delegate": "gpu"}, "tflite-runtime has no delegate 'gpu'"),
            ("onnxruntime", {"delegate": "gpu"}, "onnxruntime has no delegate 'gpu'"),
            ("tflm", {"delegate": "gpu"}, "tflm has no delegate 'gpu'"),
        ):
            error = talk.ask("hello", runtime=runtime, **asked)["error"]
            assert (error["kind"], error["message"]) == ("accelerator", said)
