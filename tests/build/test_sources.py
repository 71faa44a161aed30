from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.errors import BuildError, ModelError
from pytest_edgebudget.types import FunctionRef

from .conftest import DIGITS, Bench, copied


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_deployed_file_is_taken_as_it_is(suffix: str, bench: Bench, no_jobs) -> None:
    no_jobs()
    path = DIGITS / f"digits{suffix}"
    artifact = bench.source(path)
    assert artifact.path.read_bytes() == path.read_bytes()
    assert artifact.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (artifact.format, artifact.size) == (suffix[1:], path.stat().st_size)
    assert str(artifact.recipe) == "none"
    assert artifact.path.is_relative_to(bench.store.folder)


def test_a_format_that_the_device_does_not_run_is_a_sentence(bench: Bench) -> None:
    path = DIGITS / "digits.onnx"
    with pytest.raises(ModelError) as caught:
        bench.source(path, "tflite")
    assert str(caught.value) == (
        f"{path} is .onnx, but the device runs .tflite\n"
        "  convert it, or choose a device or a runtime that runs it: edgebudget devices NAME"
    )


def test_what_is_no_model_is_a_sentence(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_bytes(b"PK")
    (tmp_path / "lfs.keras").write_text("version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "text.tflite").write_text("hello, this is no flatbuffer at all")
    (tmp_path / "folder").mkdir()
    for name, sentence in {
        "missing.tflite": "there is no model",
        "net.pt": "is of no kind that is known",
        "lfs.keras": "is a Git LFS pointer",
        "text.tflite": "this is text, not a .tflite or .onnx model",
        "folder": "is a folder without saved_model.pb",
    }.items():
        with pytest.raises(ModelError, match=sentence):
            bench.source(tmp_path / name)


# --- functions -------------------------------------------------------------------------


def define(bench: Bench, body: str) -> FunctionRef:
    (bench.root / "mine.py").write_text(f"from pathlib import Path\n\ndef make():\n    {body}\n")
    return FunctionRef("mine", "make")


@pytest.mark.parametrize("body", ["return 'digits.tflite'", "return Path('digits.tflite')"])
def test_a_function_may_return_a_path_from_the_root(body: str, bench: Bench) -> None:
    copied(DIGITS / "digits.tflite", bench.root)
    assert bench.source(define(bench, body)) == bench.digits()


def test_a_function_may_return_the_bytes_of_either_format(bench: Bench) -> None:
    for suffix in (".tflite", ".onnx"):
        copied(DIGITS / f"digits{suffix}", bench.root)
        ref = define(bench, f"return open('digits{suffix}', 'rb').read()")
        assert bench.source(ref) == bench.digits(suffix)


def test_a_function_is_called_each_time(bench: Bench) -> None:
    copied(DIGITS / "digits.tflite", bench.root)
    first = bench.source(define(bench, "return 'digits.tflite'"))
    copied(DIGITS / "digits.onnx", bench.root)
    assert bench.source(define(bench, "return 'digits.onnx'")) != first


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        ("return 3", BuildError, "mine:make returned int"),
        ("return 'none.tflite'", ModelError, "there is no model .*none.tflite"),
        ("return b'hello world, no model'", ModelError, "this is text, not a"),
        ("raise RuntimeError('no GPU')", BuildError, "mine:make for the model: RuntimeError: no"),
    ],
)
def test_a_function_that_gives_no_model_is_a_sentence(
    body: str, kind: type, sentence: str, bench: Bench
) -> None:
    with pytest.raises(kind, match=sentence):
        bench.source(define(bench, body))


# --- ONNX with data beside it ------------------------------------------------------------


def external(folder: Path, name: str = "weights.bin") -> Path:
    import onnx

    model = onnx.load(DIGITS / "digits.onnx")
    onnx.save_model(
        model, folder / "net.onnx", save_as_external_data=True, location=name, size_threshold=0
    )
    return folder / "net.onnx"


def test_data_beside_an_onnx_file_goes_with_it(bench: Bench, tmp_path: Path) -> None:
    path = external(tmp_path)
    artifact = bench.source(path)
    weights = (tmp_path / "weights.bin").read_bytes()
    assert artifact.size == path.stat().st_size + len(weights)
    assert [file.read_bytes() for file in artifact.external] == [weights]
    quantized = bench.build("weights_int8", source=artifact)
    assert quantized.external == ()
    assert quantized.size < artifact.size


def test_a_changed_byte_of_the_data_is_another_source(bench: Bench, tmp_path: Path) -> None:
    path = external(tmp_path)
    first = bench.source(path)
    content = bytearray((tmp_path / "weights.bin").read_bytes())
    content[0] ^= 1
    (tmp_path / "weights.bin").write_bytes(content)
    assert bench.source(path).sha256 != first.sha256


# --- Keras and SavedModel: TensorFlow in a process of its own -------------------------------

KERAS = """
import keras, numpy as np

def two_inputs():
    keras.utils.set_random_seed(0)
    image, length = keras.Input((4, 4, 1), name="image"), keras.Input((1,), name="length")
    x = keras.layers.Flatten()(keras.layers.Conv2D(3, 3)(image))
    x = keras.layers.Concatenate()([x, length])
    outputs = {"kind": keras.layers.Dense(5)(x), "size": keras.layers.Dense(1)(x)}
    return keras.Model({"image": image, "length": length}, outputs)

def unbuilt():
    return keras.Sequential([keras.layers.Dense(3)])

def recurrent():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv1D(16, 3), keras.layers.LSTM(16), keras.layers.Dense(4)]
    return keras.Sequential([keras.Input((16, 8)), *layers])

def free_length():
    return keras.Sequential([keras.Input((None, 4)), keras.layers.Conv1D(2, 3)])
"""


@pytest.fixture
def keras_bench(bench: Bench) -> Bench:
    pytest.importorskip("tensorflow", reason="pip install 'pytest-edgebudget[tensorflow]'")
    (bench.root / "nets.py").write_text(KERAS)
    return bench


def answers(path: Path, inputs: np.ndarray) -> np.ndarray:
    from tests.passes.conftest import outputs

    return outputs(path, inputs)


@pytest.mark.slow
@pytest.mark.parametrize("wanted", ["tflite", "onnx"])
def test_a_keras_file_is_exported_with_a_batch_of_one_and_answers_as_before(
    wanted: str, keras_bench: Bench, no_jobs
) -> None:
    from pytest_edgebudget import graph

    artifact = keras_bench.source(DIGITS / "digits.keras", wanted)
    read = graph.read(artifact.path)
    assert [read.tensors[i].shape for i in read.main.inputs] == [(1, 8, 8, 1)]
    with np.load(DIGITS / "data.npz") as file:
        inputs = file["x_test"][:40]
    expected = answers(DIGITS / "digits.tflite", inputs)
    np.testing.assert_allclose(answers(artifact.path, inputs), expected, atol=1e-5)
    no_jobs()
    assert keras_bench.source(DIGITS / "digits.keras", wanted) == artifact


@pytest.mark.slow
@pytest.mark.parametrize("wanted", ["tflite", "onnx"])
def test_several_inputs_and_outputs_keep_their_names(wanted: str, keras_bench: Bench) -> None:
    from pytest_edgebudget import graph

    artifact = keras_bench.source(FunctionRef("nets", "two_inputs"), wanted)
    read = graph.read(artifact.path)
    if read.signature is not None:
        names, results = (set(names) for names in read.signature)
    else:
        names = {read.tensors[i].name for i in read.main.inputs}
        results = {read.tensors[i].name for i in read.main.outputs}
    assert (names, results) == ({"image", "length"}, {"kind", "size"})


@pytest.mark.slow
def test_a_recurrent_model_is_quantized_inside_its_loop_or_refused_by_name(
    keras_bench: Bench,
) -> None:
    from pytest_edgebudget import graph
    from pytest_edgebudget.passes._weights import weights

    ref = FunctionRef("nets", "recurrent")
    np.savez(keras_bench.root / "noise.npz", x_calibration=np.zeros((3, 16, 8), np.float32))
    keras_bench.data = keras_bench.load(keras_bench.root / "noise.npz")
    source = keras_bench.source(ref, "tflite")
    made = graph.read(keras_bench.build("dynamic_int8", source=source).path)
    assert "WHILE" in {op.kind for op in made.ops}
    assert {weight.tensor.dtype for weight in weights(made)} == {"int8"}
    with pytest.raises(BuildError, match=r"int8 cannot calibrate a \.tflite with WHILE"):
        keras_bench.build("int8", source=source)
    with pytest.raises(BuildError, match=r"float16 cannot change an \.onnx model with Loop"):
        keras_bench.build("float16", source=keras_bench.source(ref, "onnx"))


@pytest.mark.slow
def test_a_free_dimension_is_noted(keras_bench: Bench) -> None:
    artifact = keras_bench.source(FunctionRef("nets", "free_length"), "tflite")
    assert len(artifact.notes) == 1
    assert artifact.notes[0].endswith("is not fixed")


@pytest.mark.slow
def test_a_model_without_inputs_is_a_sentence(keras_bench: Bench) -> None:
    with pytest.raises(BuildError, match="the Keras model has no inputs yet"):
        keras_bench.source(FunctionRef("nets", "unbuilt"))


@pytest.mark.slow
def test_a_keras_file_that_nobody_can_read_is_a_sentence(keras_bench: Bench) -> None:
    broken = keras_bench.root / "broken.h5"
    broken.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(BuildError, match=r"Keras cannot read .*broken\.h5: "):
        keras_bench.source(broken)
