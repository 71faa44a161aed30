from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.passes._normalise import normalised, packed
from pytest_edgebudget.types import Step

from .conftest import DIGITS, PASSES, outputs

MODEL = DIGITS / "digits.tflite"


def aged(path: Path, *, nameless: bool = False) -> Path:
    """The digits model as an older converter wrote it: 8-bit op codes, no signature."""
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model(str(MODEL))
    for code in model.operatorCodes:
        code.deprecatedBuiltinCode, code.builtinCode = code.builtinCode, 0
    model.signatureDefs = None
    if nameless:
        for tensor in model.subgraphs[0].tensors:
            tensor.name = b"same"
    path.write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    return path


def test_the_quantizer_alone_does_nothing_to_old_op_codes(tmp_path: Path) -> None:
    """Why there is something to normalise: no error, and weights still float."""
    from litert_quantizer import quantizer, recipe

    work = quantizer.Quantizer(str(aged(tmp_path / "old.tflite")), recipe.dynamic_wi8_afp32())
    result = work.quantize(enable_progress_bar=False, enable_progress_report=False)
    (tmp_path / "out.tflite").write_bytes(bytes(result.quantized_model))
    dtypes = {t.dtype for t in graph.read(tmp_path / "out.tflite").tensors if t.constant}
    assert "int8" not in dtypes


@pytest.mark.parametrize("name", ["float16", "dynamic_int8", "weights_int8", "int4_weights"])
def test_an_old_file_is_quantized_like_a_new_one(name: str, run_pass, tmp_path: Path) -> None:
    old = aged(tmp_path / "old.tflite")
    after = graph.read(run_pass(name, old))
    assert PASSES[name].check(graph.read(old), after, Step(name)) == ""


@pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")
@pytest.mark.parametrize("nameless", [False, True], ids=["named", "nameless"])
def test_an_old_file_is_calibrated_without_a_signature(
    nameless: bool, run_pass, samples, tmp_path: Path
) -> None:
    old = aged(tmp_path / "old.tflite", nameless=nameless)
    inputs = samples["x_test"][:20]
    new = outputs(run_pass("int8", MODEL, name="new"), inputs)
    assert np.array_equal(outputs(run_pass("int8", old, name="old"), inputs), new)


def test_normalising_changes_no_answer(samples, tmp_path: Path) -> None:
    old = aged(tmp_path / "old.tflite", nameless=True)
    (tmp_path / "new.tflite").write_bytes(packed(normalised(old, "a test")))
    inputs = samples["x_test"][:50]
    assert np.array_equal(outputs(tmp_path / "new.tflite", inputs), outputs(old, inputs))


def test_a_signature_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "out.tflite"
    path.write_bytes(packed(normalised(MODEL, "a test")))
    before, after = graph.read(MODEL).signature, graph.read(path).signature
    assert before is not None
    assert after is not None
    assert [list(names) for names in after] == [list(names) for names in before]


REFERENCE = [
    "ad_autoencoder/models/ad01_float32.tflite",
    "ad_autoencoder/models/ad01_int8.tflite",
    "fsdd_trainable/models/baseline_float32.tflite",
    "ic_resnet8/models/resnet8_float32.tflite",
    "ic_resnet8/models/resnet8_int8.tflite",
    "ic_resnet8/models/resnet8_large_float32.tflite",
    "ic_resnet8/models/resnet8_large_int8.tflite",
    "kws_dscnn/models/kws_dynrange.tflite",
    "kws_dscnn/models/kws_float32.tflite",
    "kws_dscnn/models/kws_int8.tflite",
]


@pytest.mark.reference
@pytest.mark.parametrize("name", REFERENCE)
def test_published_models_answer_bit_for_bit_as_before(
    name: str, reference_models: Path, tmp_path: Path
) -> None:
    model = reference_models / name
    path = tmp_path / "out.tflite"
    path.write_bytes(packed(normalised(model, "a test")))
    read = graph.read(model)
    shape = [abs(size) for size in read.tensors[read.main.inputs[0]].shape or ()]
    inputs = np.random.default_rng(0).normal(0, 40, (5, *shape)).astype(np.float32)
    assert np.array_equal(outputs(path, inputs), outputs(model, inputs))
