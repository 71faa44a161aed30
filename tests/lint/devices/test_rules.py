"""EB401 to EB410 on models of single layers and on real ones."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from pytest_edgebudget.devices import load_profile, profiles
from pytest_edgebudget.devices.runtimes import formats_of
from pytest_edgebudget.graph.damage import DamageError
from pytest_edgebudget.graph.tflite import read_tflite
from pytest_edgebudget.lint.base import ModelFile, OnDevice, Rule, Severity
from pytest_edgebudget.lint.devices import (
    RULES,
    accelerator_cache,
    accelerator_condition,
    accelerator_fallback,
    accelerator_operator,
    accelerator_pieces,
    accelerator_unused,
    flash_exceeded,
    memory_exceeded,
    slow_kernel,
    unknown_operator,
)
from pytest_edgebudget.types import Profile, Region
from tests.graph import tflite_models as tfl
from tests.lint.check import findings, messages

UNUSED, FALLBACK = accelerator_unused.RULE, accelerator_fallback.RULE
PIECES, CONDITION = accelerator_pieces.RULE, accelerator_condition.RULE
OPERATOR, MEMORY = accelerator_operator.RULE, memory_exceeded.RULE
CACHE = accelerator_cache.RULE
FLASH, UNKNOWN, SLOW = flash_exceeded.RULE, unknown_operator.RULE, slow_kernel.RULE


def profile(name: str) -> Profile:
    return load_profile(profiles()[name])


NPU = "ethos-u55-128"


# --- real models ---------------------------------------------------------------------------


@pytest.mark.reference
@pytest.mark.parametrize(
    "board",
    [
        name
        for name, path in profiles().items()
        if name != "host" and "tflite" in formats_of(load_profile(path).runtimes)
    ],
)
def test_ordinary_int8_models_suit_every_board(board: str, reference_models: Path) -> None:
    # Memory and flash aside, which have tests of their own.
    for name in ("kws_dscnn/models/kws_int8", "ad_autoencoder/models/ad01_int8"):
        path = reference_models / f"{name}.tflite"
        for rule in (r for r in RULES if "tflite" in r.formats):
            assert messages(rule, path, profile(board)) == [], (rule.code, board)


@pytest.mark.reference
def test_a_float_model_does_not_use_an_npu(reference_models: Path) -> None:
    path = reference_models / "kws_dscnn/models/kws_float32.tflite"
    (found,) = findings(UNUSED, path, profile(NPU))
    assert found.message == (
        "none of the 12 operators runs on the NPU: feature maps must be integers (input_1 is float32)"
    )
    assert found.where == "activation/Relu"
    for rule in (FALLBACK, PIECES, CONDITION, OPERATOR):
        assert messages(rule, path, profile(NPU)) == []  # EB401 says it all


@pytest.mark.reference
def test_a_model_without_fast_kernels_is_found(reference_models: Path) -> None:
    floats = reference_models / "kws_dscnn/models/kws_float32.tflite"
    assert messages(SLOW, floats, profile("stm32l4r5-tflm")) == [
        "100 % of the multiply-accumulates run in reference kernels, not in CMSIS-NN: "
        "5 DEPTHWISE_CONV_2D, 4 CONV_2D, FULLY_CONNECTED; there is a fast kernel for int8 and "
        "int16 only (input_1 is float32)"
    ]
    assert messages(SLOW, floats, profile("android-xnnpack")) == []
    assert messages(SLOW, floats, profile("raspberry-pi-4")) == []


@pytest.mark.reference
def test_hybrid_layers_are_unknown_to_tflite_micro(reference_models: Path) -> None:
    path = reference_models / "kws_dscnn/models/kws_dynrange.tflite"
    (found,) = findings(UNKNOWN, path, profile("stm32l4r5-tflm"))
    assert found.message.startswith("TensorFlow Lite Micro runs no such CONV_2D: activations and")
    assert found.message.endswith("(it has float32, int8); 5 like it")
    assert messages(UNKNOWN, path, profile("raspberry-pi-4")) == []


@pytest.mark.reference
def test_tflite_micro_itself_refuses_hybrid_layers(reference_models: Path) -> None:
    runtime = pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime", reason="tflite-micro is not installed"
    )
    path = reference_models / "kws_dscnn/models/kws_dynrange.tflite"
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_file(str(path), arena_size=200_000)


@pytest.mark.reference
def test_a_model_larger_than_memory_or_flash_is_found(reference_models: Path) -> None:
    # TFLite Micro's own figure for the plan of this model is 491,520 bytes: 480 KiB.
    path = reference_models / "ic_resnet8/models/resnet8_large_float32.tflite"
    nano = profile("nrf52840-tflm")
    (found,) = messages(MEMORY, path, nano)
    assert found.removeprefix("the activations need ").removeprefix("at least ") == (
        "480 KiB in one piece, and the largest piece of RAM of nrf52840-tflm has 256 KiB"
    )
    assert messages(FLASH, path, nano) == [
        "the model has 1.84 MiB, and the flash of nrf52840-tflm has 1.00 MiB"
    ]
    assert messages(MEMORY, path, profile("stm32l4r5-tflm")) == []
    assert messages(FLASH, path, profile("stm32l4r5-tflm")) == []
    assert messages(FLASH, path, profile("raspberry-pi-4")) == []


# --- small models --------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(tfl.pack(tfl.small_cnn()))
    return path


def board(**regions: int) -> Profile:
    found = tuple(Region(kind, kind, size) for kind, size in regions.items())
    return Profile(name="tiny", title="tiny", runtimes=("tflm",), regions=found)


def test_memory_that_does_not_hold_the_activations_is_an_error(small: Path) -> None:
    # Input 128 bytes, features 192, flat in place, scores 20 in 32: TFLite Micro's plan.
    head = _planned_by_tflite_micro(small)
    assert messages(MEMORY, small, board(ram=8192)) == []
    (found,) = findings(MEMORY, small, board(ram=head - 1))
    assert found.severity is None  # the rule's own: an error
    assert found.message == (
        f"the activations need {head} B in one piece, and the largest piece of RAM of tiny has "
        f"{head - 1} B"
    )


def test_activations_that_leave_no_room_for_the_runtime_are_a_warning(small: Path) -> None:
    head = _planned_by_tflite_micro(small)
    (found,) = findings(MEMORY, small, board(ram=head))
    assert found.severity is Severity.WARNING
    assert found.message.startswith("with what the runtime keeps beside them, activations need at ")
    assert found.message.endswith(f"the largest piece of RAM of tiny has {head} B")


def _planned_by_tflite_micro(path: Path) -> int:
    import re
    import subprocess
    import sys

    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
    code = (
        "import sys; from tflite_micro.python.tflite_micro import runtime as r; "
        "r.Interpreter.from_file(sys.argv[1], arena_size=100000).print_allocations()"
    )
    run = [sys.executable, "-c", code, str(path)]
    said = subprocess.run(run, check=True, capture_output=True, text=True).stderr
    match = re.search(r"head\w* (\d+) bytes", said.replace("allocation", ""), re.IGNORECASE)
    assert match, said
    return int(match[1])


def test_memory_is_not_judged_where_it_is_not_known_or_a_compiler_plans_it(small: Path) -> None:
    assert messages(MEMORY, small, board(flash=1)) == []
    npu = Profile(
        name="n", title="n", runtimes=("tflm",), regions=(Region("a", "ram", 1),),
        accelerator="ethos-u55-128",
    )  # fmt: skip
    assert messages(MEMORY, small, npu) == []


def test_a_model_that_leaves_no_room_for_code_is_a_warning(small: Path) -> None:
    size = small.stat().st_size
    (found,) = findings(FLASH, small, board(flash=size + 1000))
    assert found.severity is Severity.WARNING
    assert found.message.startswith("the model leaves 1000 B of the ")
    assert messages(FLASH, small, board(flash=size + 64 * 1024)) == []
    (found,) = findings(FLASH, small, board(flash=size - 1))
    assert found.severity is None


@pytest.mark.parametrize(("rows", "found"), [(3100, 1), (2900, 0)])
def test_weights_beyond_the_edge_tpus_cache_are_found(
    rows: int, found: int, tmp_path: Path
) -> None:
    scale = tfl.quantization([0.1], [0])
    tensors = [
        tfl.tensor("x", [1, 2700], "INT8", quantization=scale),
        tfl.tensor("weights", [rows, 2700], "INT8", buffer=1, quantization=scale),
        tfl.tensor("y", [1, rows], "INT8", quantization=scale),
    ]
    dense = tfl.op(0, [0, 1, -1], [2], tfl.schema.FullyConnectedOptionsT())
    weights = tfl.buffer()
    weights.data = bytes(rows * 2700)
    model = tfl.model(
        [tfl.code("FULLY_CONNECTED")],
        [tfl.subgraph(tensors, [dense], [0], [2])],
        [tfl.buffer(), weights],
    )
    path = tmp_path / "wide.tflite"
    path.write_bytes(tfl.pack(model))
    said = messages(CACHE, path, profile("coral-usb-accelerator"))
    assert len(said) == found
    assert all("7.98 MiB of weights" in each and "keeps about 7.63 MiB" in each for each in said)
    assert messages(CACHE, path, profile("android-gpu")) == []


def test_a_compiled_model_uses_its_accelerator(tmp_path: Path) -> None:
    tensors = [tfl.tensor(n, [1, 4], "INT8") for n in ("x", "y")]
    code = tfl.code("CUSTOM", custom="ethos-u")
    model = tfl.model(
        [code], [tfl.subgraph(tensors, [tfl.op(0, [0], [1])], [0], [1])], [tfl.buffer()]
    )
    path = tmp_path / "compiled.tflite"
    path.write_bytes(tfl.pack(model))
    for rule in (UNUSED, FALLBACK, PIECES, CONDITION, OPERATOR, UNKNOWN):
        assert messages(rule, path, profile(NPU)) == []
    assert messages(UNUSED, path, profile("android-gpu")) != []


def test_damaged_models_cost_no_traceback(tmp_path: Path) -> None:
    random = Random(3)
    whole = tfl.pack(tfl.small_cnn())
    devices = [profile(name) for name in (NPU, "coral-dev-board", "android-gpu", "stm32l4r5-tflm")]
    readable = 0
    for _ in range(600):
        content = bytearray(whole)
        for _ in range(random.choice((1, 2, 4))):
            content[random.randrange(len(content))] = random.choice((0, 1, 127, 128, 255))
        try:
            model = ModelFile(tmp_path / "damaged.tflite", read_tflite(bytes(content), tmp_path))
        except DamageError:
            continue
        readable += 1
        for device in devices:
            for rule in RULES:
                assert all(found.message for found in rule.check(OnDevice(model, device)))
    assert readable > 100


@pytest.mark.parametrize("kind", ["MEAN", "RESIZE_BILINEAR", "SHAPE", "TRANSPOSE", "SPLIT", "PAD"])
@pytest.mark.parametrize("shape", [[], [0, 0, 0, 0], [1, 0]])
def test_ops_without_sizes_or_inputs_cost_no_traceback(
    kind: str, shape: list[int], tmp_path: Path
) -> None:
    axes = tfl.tensor("axes", [1], "INT32", buffer=1)
    tensors = [tfl.tensor("x", shape, "INT8"), axes, tfl.tensor("y", shape, "INT8")]
    path = tmp_path / "odd.tflite"
    for inputs in ([0, 1], [0], [], [-1, -1]):
        graph = tfl.subgraph(tensors, [tfl.op(0, inputs, [2])], [0], [2])
        buffers = [tfl.buffer(), tfl.buffer(b"\1\0\0\0")]
        path.write_bytes(tfl.pack(tfl.model([tfl.code(kind)], [graph], buffers)))
        for name in (NPU, "coral-dev-board", "android-gpu", "android-xnnpack", "stm32l4r5-tflm"):
            for rule in RULES:
                assert all(messages(rule, path, profile(name)))


# --- layers that TensorFlow converted ------------------------------------------------------


@pytest.mark.slow
def test_layers_that_fall_off_an_npu_are_counted_and_explained(op_models: Path) -> None:
    path = op_models / "conv_far_conv.int8.tflite"
    assert messages(FALLBACK, path, profile(NPU)) == [
        "1 of 3 operators runs on the CPU, with 0.7 % of the multiply-accumulates: DEPTHWISE_CONV_2D"
    ]
    (found,) = findings(CONDITION, path, profile(NPU))
    assert found.message == (
        "the NPU does not take this DEPTHWISE_CONV_2D: strides may be at most 3 (stride 4x4); "
        "0.7 % of the multiply-accumulates"
    )
    assert found.instead == "use a stride of at most 3"
    assert messages(PIECES, path, profile(NPU)) == [
        "the NPU gets the model in 2 pieces, between which there are DEPTHWISE_CONV_2D"
    ]
    assert messages(OPERATOR, path, profile(NPU)) == []
    for rule in (FALLBACK, PIECES, CONDITION):
        assert messages(rule, path, profile("android-gpu")) == []


@pytest.mark.slow
def test_a_float_activation_cuts_an_int8_model(op_models: Path) -> None:
    path = op_models / "conv_elu_conv.int8.tflite"
    assert messages(OPERATOR, path, profile(NPU)) == [
        "the NPU has no DEQUANTIZE: it runs on the CPU"
    ]
    assert messages(PIECES, path, profile(NPU)) == [
        "the NPU gets the model in 2 pieces, between which there are DEQUANTIZE, ELU, QUANTIZE"
    ]
    assert [m.partition(" (")[0] for m in messages(CONDITION, path, profile(NPU))] == [
        "the NPU does not take this ELU: feature maps must be integers",
        "the NPU does not take this QUANTIZE: feature maps must be integers",
    ]


@pytest.mark.slow
def test_the_edge_tpu_leaves_everything_behind_the_first_op_to_the_cpu(op_models: Path) -> None:
    path = op_models / "conv_elu_conv.int8.tflite"
    coral = profile("coral-dev-board")
    assert messages(FALLBACK, path, coral) == [
        "4 of 5 operators run on the CPU, with 50 % of the multiply-accumulates: "
        "DEQUANTIZE, ELU, QUANTIZE, CONV_2D"
    ]
    assert messages(PIECES, path, coral) == []
    assert messages(OPERATOR, path, coral) == [
        "the Edge TPU has no DEQUANTIZE: it runs on the CPU",
        "the Edge TPU has no ELU: it runs on the CPU",
    ]


@pytest.mark.slow
def test_a_tail_without_arithmetic_is_a_note(op_models: Path) -> None:
    path = op_models / "conv_top_k.int8.tflite"
    (found,) = findings(FALLBACK, path, profile(NPU))
    assert found.severity is Severity.NOTE
    assert messages(UNKNOWN, path, profile(NPU)) == ["TensorFlow Lite Micro has no TOPK_V2"]
    assert messages(UNKNOWN, path, profile("coral-dev-board")) == []


@pytest.mark.slow
def test_an_open_batch_is_no_fault_but_a_computed_shape_is(op_models: Path) -> None:
    devices = [NPU, "android-gpu", "android-xnnpack", "stm32l4r5-tflm", "coral-dev-board"]
    for name in devices:
        for rule in (r for r in RULES if "tflite" in r.formats):
            assert messages(rule, op_models / "conv_open.int8.tflite", profile(name)) == []
    flatten = op_models / "flatten_open.float32.tflite"
    assert any(
        "must be constants" in m for m in messages(CONDITION, flatten, profile("android-gpu"))
    )
    assert messages(FALLBACK, op_models / "flatten_open.int8.tflite", profile(NPU)) == []


@pytest.mark.slow
def test_16_bit_layers_are_slow_in_xnnpack_and_fast_in_cmsis_nn(op_models: Path) -> None:
    path = op_models / "conv_3.int16.tflite"
    assert messages(SLOW, path, profile("stm32l4r5-tflm")) == []
    (found,) = messages(SLOW, path, profile("android-xnnpack"))
    assert found.startswith("100 % of the multiply-accumulates run in the runtime's other kernels")


# --- all rules -----------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_documented(rule: Rule) -> None:
    for heading in ("What it finds", "Why it hurts", "Example", "Instead"):
        assert f"\n{heading}\n" in rule.doc
    assert rule.summary.endswith(".")


def test_codes_are_in_order() -> None:
    codes: list[Any] = [rule.code for rule in RULES]
    assert codes == [f"EB4{number:02}" for number in range(1, len(RULES) + 1)]
