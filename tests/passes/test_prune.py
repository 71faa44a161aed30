from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes._weights import weights
from pytest_edgebudget.types import Step

from .conftest import DIGITS, PASSES

MODELS = [DIGITS / "digits.tflite", DIGITS / "digits.onnx"]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda path: path.suffix[1:])


def prune(fraction: float) -> Step:
    return Step("prune", (fraction,))


def arrays(path: Path) -> dict[str, np.ndarray]:
    """Weights by name, read by the formats' own libraries."""
    if path.suffix == ".onnx":
        import onnx

        return {
            item.name: onnx.numpy_helper.to_array(item)
            for item in onnx.load(path).graph.initializer
            if len(item.dims) > 1
        }
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    details = {d["index"]: d for d in interpreter.get_tensor_details()}
    ops = interpreter._get_ops_details()
    kinds = ("CONV_2D", "FULLY_CONNECTED")
    found = [details[op["inputs"][1]] for op in ops if op["op_name"] in kinds]
    return {detail["name"]: interpreter.get_tensor(detail["index"]) for detail in found}


@each_model
@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.3, 1.0])
def test_the_smallest_weights_of_each_layer_are_zero_and_the_others_as_before(
    fraction: float, model: Path, run_pass
) -> None:
    before, after = arrays(model), arrays(run_pass("prune", model, prune(fraction)))
    assert before.keys() == after.keys()
    for name, old in before.items():
        new = after[name]
        gone = (new == 0) & (old != 0)
        assert (new == 0).sum() == max(math.ceil(fraction * old.size), (old == 0).sum())
        assert np.array_equal(new[~gone], old[~gone])
        if gone.any() and not gone.all():
            assert abs(old[gone]).max() <= abs(old[~gone & (old != 0)]).min()


def test_in_tflite_no_other_byte_changes(run_pass) -> None:
    model = MODELS[0]
    old, new = model.read_bytes(), run_pass("prune", model, prune(0.3)).read_bytes()
    inside = bytearray(len(old))
    for weight in weights(graph.read(model)):
        assert weight.tensor.data is not None
        start = old.index(bytes(weight.tensor.data))
        inside[start : start + len(weight.tensor.data)] = b"\1" * len(weight.tensor.data)
    changed = [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    assert changed
    assert all(inside[i] for i in changed)


@each_model
def test_the_download_shrinks_and_the_file_does_not(model: Path, run_pass) -> None:
    old, new = model.read_bytes(), run_pass("prune", model, prune(0.3)).read_bytes()
    assert len(new) == len(old)
    assert len(zlib.compress(new, 9)) < 0.85 * len(zlib.compress(old, 9))


@each_model
def test_fewer_zeros_than_promised_are_noticed(model: Path, run_pass) -> None:
    before = graph.read(model)
    after = graph.read(run_pass("prune", model, prune(0.3)))
    check = PASSES["prune"].check
    assert check(before, after, prune(0.3)) == ""
    assert check(before, after, prune(0.35)).startswith(
        "less than 0.35 of the weights are zero in "
    )


@pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")
def test_integer_weights_are_pruned_by_their_real_size(run_pass) -> None:
    """Channels have scales of their own; the real values are LiteRT's dequantized ones."""
    from ai_edge_litert.interpreter import Interpreter

    model = run_pass("int8", MODELS[0], name="integer")
    out = run_pass("prune", model, prune(0.3))
    assert PASSES["prune"].check(graph.read(model), graph.read(out), prune(0.3)) == ""
    old, new = (Interpreter(model_path=str(path)) for path in (model, out))
    for detail in old.get_tensor_details():
        if not detail["name"].endswith("kernel") or detail["dtype"] is not np.int8:
            continue
        parameters = detail["quantization_parameters"]
        shape = [1] * len(detail["shape"])
        shape[parameters["quantized_dimension"]] = -1
        real = old.get_tensor(detail["index"]) * parameters["scales"].reshape(shape)
        gone = (new.get_tensor(detail["index"]) == 0) & (real != 0)
        assert abs(real[gone]).max() <= abs(real[~gone & (real != 0)]).min() + 1e-9


def test_a_fraction_has_to_be_given(run_pass) -> None:
    with pytest.raises(BuildError) as caught:
        run_pass("prune", MODELS[0], Step("prune"))
    assert str(caught.value) == "prune lacks fraction\n  such as prune(0.3)"


def test_a_model_without_weights_cannot_be_pruned(run_pass, tmp_path: Path) -> None:
    import onnx

    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 4])
    result = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 4])
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    made = onnx.helper.make_model(onnx.helper.make_graph([node], "relu", [value], [result]))
    onnx.save(made, tmp_path / "relu.onnx")
    with pytest.raises(BuildError, match=r"prune\(0.3\) finds no float or symmetric int8 weights"):
        run_pass("prune", tmp_path / "relu.onnx")
    with pytest.raises(BuildError, match="int8 finds no weights: no convolution and no dense"):
        run_pass("int8", tmp_path / "relu.onnx")
