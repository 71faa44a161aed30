from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pytest_edgebudget import graph

from .conftest import DIGITS

# TensorFlow's own converter on a model with all three ops, whose dynamic range
# quantization skips small weights: hence the sizes.
CONVERT = """
    import json, sys
    import keras, numpy as np, tensorflow as tf

    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input((8, 8, 16), batch_size=1),
        keras.layers.Conv2D(64, 3), keras.layers.DepthwiseConv2D(3, depth_multiplier=2),
        keras.layers.Flatten(), keras.layers.Dense(8)])
    model.export(sys.argv[1] + "/sm", verbose=False)
    data = np.random.default_rng(0).normal(size=(20, 8, 8, 16)).astype("float32")

    def converted(name, **options):
        converter = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1] + "/sm")
        for key, value in options.items():
            setattr(converter, key, value)
        with open(f"{sys.argv[1]}/{name}.tflite", "wb") as file:
            file.write(converter.convert())

    converted("float")
    optimize = {"optimizations": [tf.lite.Optimize.DEFAULT]}
    converted("dynamic_int8", **optimize)
    converted("int8", representative_dataset=lambda: ([x[None]] for x in data), **optimize)
    np.savez(sys.argv[1] + "/calibration.npz", x=data)
"""


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("tensorflow", reason="pip install 'pytest-edgebudget[tensorflow]'")
    folder = tmp_path_factory.mktemp("converted")
    code = textwrap.dedent(CONVERT)
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True)
    return folder


def versions(path: Path) -> dict[str, int]:
    return {op.kind: op.version for op in graph.read(path).ops}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")
@pytest.mark.parametrize("name", ["dynamic_int8", "int8"])
def test_op_versions_are_those_that_tensorflow_writes(name: str, converted: Path, run_pass) -> None:
    from pytest_edgebudget.passes.base import Job
    from pytest_edgebudget.types import Step

    from .conftest import PASSES

    out = converted / f"{name}_ours.tflite"
    PASSES[name].apply(
        Job(
            model=converted / "float.tflite",
            out=out,
            step=Step(name),
            calibration=converted / "calibration.npz",
        )
    )
    ours, theirs = versions(out), versions(converted / f"{name}.tflite")
    both = ours.keys() & theirs.keys()
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"} <= both
    assert {kind: ours[kind] for kind in both} == {kind: theirs[kind] for kind in both}


INVOKE = """
    import json, sys
    import numpy as np
    from tflite_runtime.interpreter import Interpreter

    answers = []
    try:
        interpreter = Interpreter(model_path=sys.argv[1])
        interpreter.allocate_tensors()
        interpreter.invoke()
        answers.append("ran")
    except (RuntimeError, ValueError) as error:
        answers.append(str(error))
    print(json.dumps(answers))
"""


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("dynamic_int8", "Didn't find op for builtin opcode 'FULLY_CONNECTED' version '12'"),
        ("int4_weights", "Didn't find op for builtin opcode 'DEQUANTIZE' version '6'"),
        ("int8", "ran"),
        ("int16x8", "ran"),
        ("float16", "ran"),
        ("weights_int8", "ran"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")
def test_an_old_runtime_runs_a_file_or_refuses_it_aloud(
    name: str, answer: str, run_pass, old_runtime
) -> None:
    out = run_pass(name, DIGITS / "digits.tflite")
    code = [sys.executable, "-c", textwrap.dedent(INVOKE), str(out)]
    done = subprocess.run(code, check=True, capture_output=True, text=True)
    (said,) = json.loads(done.stdout)
    assert answer in said
