"""
Arenas with CMSIS-NN's kernels, whose scratch memory depends on build and release.

The figures of convolutions are what CMSIS-NN's own functions return: their C, in
the states of October 2023 (d1c35d3 and its neighbours) and of March 2026 (098d54a
and what was there by then), was transcribed and compiled as plain C, with
ARM_MATH_DSP (once as Arm's compiler does) and with ARM_MATH_MVEI. The conditions
of the newer arm_nn_is_convolve_1x1 and _1_x_n are those of 2023 and equal channels.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import pytest
from static_builder import File, Net, options
from static_control import MODELS
from static_models import random_graph
from tflite_models import schema
from tflm_runtime import head_and_tail

from pytest_edgebudget import graph
from pytest_edgebudget.graph.arena import Plan
from pytest_edgebudget.graph.memory import plan
from pytest_edgebudget.graph.memory_tflm import ALIGNMENT, CMSIS_NN
from pytest_edgebudget.graph.memory_tflm_cmsis import BUILDS, scratches
from pytest_edgebudget.graph.verify import faults

ALL = "cmsis-nn"
PLAIN, DSP, MVE = (f"{ALL}-{build}" for build in BUILDS[ALL])


def read(folder: Path, content: bytes) -> graph.Graph:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return graph.read(path)


def planned(folder: Path, content: bytes, kernels: str = ALL) -> Plan:
    return plan(read(folder, content), "tflm", kernels)


def asked(folder: Path, file: File, kernels: str) -> tuple[object, object]:
    """The least and the most that the only op of a graph asks for."""
    found = read(folder, file.pack())
    least, most = (scratch(found.ops[0], found.main.tensors) for scratch in scratches(kernels))
    return least, most


# --- what one op asks for ----------------------------------------------------------


class Case(NamedTuple):
    """A convolution under SAME padding, and (least, most) bytes in each build."""

    source: list[int]  # batch, height, width, channels
    kernel: tuple[int, int]
    plain: tuple[int, int]
    dsp: tuple[int, int]
    mve: tuple[int, int]
    channels: int = 8  # of the output
    stride: int = 1
    dilation: tuple[int, int] = (1, 1)
    dtype: str = "INT8"
    weights: str = "INT8"


CONVOLUTIONS = {
    "columns": Case([1, 8, 8, 16], (3, 3), (576, 576), (576, 576), (576, 576)),
    "first_of_kws": Case([1, 49, 10, 1], (10, 4), (160, 160), (160, 160), (160, 192), 64, 2),
    "padded_columns": Case([1, 9, 9, 3], (5, 5), (304, 304), (304, 304), (320, 320), 8, 2),
    "pointwise": Case([1, 25, 5, 64], (1, 1), (0, 0), (0, 256), (0, 0), 64),
    "strided_pointwise": Case([1, 25, 5, 64], (1, 1), (0, 0), (0, 0), (0, 0), 64, 2),
    "row": Case([1, 1, 40, 16], (1, 5), (320, 320), (320, 320), (0, 112)),
    "row_of_uneven_padding": Case([1, 1, 40, 16], (1, 6), (384, 384), (384, 384), (0, 128)),
    "row_of_odd_depth": Case([1, 1, 40, 3], (1, 5), (64, 64), (64, 64), (64, 64)),
    "row_with_gaps": Case([1, 1, 40, 16], (1, 5), (320, 320), (320, 320), (320, 320),
                          dilation=(1, 2)),
    "short_row": Case([1, 1, 2, 16], (1, 7), (448, 448), (448, 448), (0, 448)),
    # Older kernels of TensorFlow Lite Micro ask for the 8-bit size, later ones for the 4-bit one.
    "four_bit": Case([1, 8, 8, 5], (3, 3), (180, 192), (180, 192), (180, 192), weights="INT4"),
    "sixteen_bit": Case([1, 8, 8, 16], (3, 3), (0, 576), (576, 576), (0, 1152), dtype="INT16"),
    "long_sixteen_bit": Case([1, 8, 8, 64], (3, 3), (0, 2304), (0, 2304), (0, 4608),
                             dtype="INT16"),
}  # fmt: skip

DEPTHWISE = {
    "three_by_three": Case([1, 25, 5, 64], (3, 3), (0, 0), (0, 0), (4464, 4464), 1),
    "five_by_five": Case([1, 25, 5, 64], (5, 5), (0, 0), (3200, 3200), (12400, 12400), 1),
    "with_gaps": Case([1, 25, 5, 64], (3, 3), (0, 0), (0, 0), (0, 0), 1, dilation=(2, 2)),
    "of_one_channel": Case([1, 49, 10, 1], (10, 8), (0, 0), (0, 0), (0, 960), 8, 2),
    "of_a_batch": Case([2, 25, 5, 64], (5, 5), (0, 0), (0, 0), (0, 0), 1),
}


@pytest.mark.parametrize("build", BUILDS[ALL])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_asks_for_what_cmsis_nn_says(tmp_path: Path, name: str, build: str) -> None:
    case = CONVOLUTIONS[name]
    net = (file := File()).graph(case.dtype)
    shape = [case.channels, *case.kernel, case.source[3]]
    weights = net.weights(shape, case.weights, case.channels)
    made = options("Conv2D", strideW=case.stride, strideH=case.stride,
                   dilationHFactor=case.dilation[0], dilationWFactor=case.dilation[1])  # fmt: skip
    net.outputs = [_windowed(net, "CONV_2D", case, weights, case.channels, made)]
    assert asked(tmp_path, file, f"{ALL}-{build}") == _expected(case, build)


@pytest.mark.parametrize("build", BUILDS[ALL])
@pytest.mark.parametrize("name", DEPTHWISE)
def test_a_depthwise_convolution_asks_for_what_cmsis_nn_says(
    tmp_path: Path, name: str, build: str
) -> None:
    case = DEPTHWISE[name]
    net = (file := File()).graph(case.dtype)
    channels = case.source[3] * case.channels
    weights = net.weights([1, *case.kernel, channels], case.weights, channels, axis=3)
    made = options("DepthwiseConv2D", strideW=case.stride, strideH=case.stride,
                   depthMultiplier=case.channels, dilationHFactor=case.dilation[0],
                   dilationWFactor=case.dilation[1])  # fmt: skip
    net.outputs = [_windowed(net, "DEPTHWISE_CONV_2D", case, weights, channels, made)]
    assert asked(tmp_path, file, f"{ALL}-{build}") == _expected(case, build)


def _windowed(net: Net, kind: str, case: Case, weights: int, channels: int, made: object) -> int:
    batch, *sides, _ = case.source
    out = [batch, *(-(-side // case.stride) for side in sides), channels]
    inputs = [net.input(case.source), weights, net.bias(channels)]
    return net.op(kind, inputs, out, options=made)


def _expected(case: Case, build: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    least, most = getattr(case, build)
    return (least,) if least else (), (most,) if most else ()


@pytest.mark.parametrize("build", BUILDS[ALL])
@pytest.mark.parametrize(
    ("source", "kernel", "channels", "stride", "expected"),
    [
        ([2, 1, 9, 4], (1, 1), 4, (1, 2), 288),
        ([1, 4, 5, 4], (1, 1), 3, (2, 1), 120),
        ([1, 4, 5, 4], (1, 1), 3, (1, 3), 180),
        ([1, 4, 5, 4], (1, 1), 3, (3, 1), 180),
        ([1, 4, 5, 4], (3, 3), 3, (1, 2), 396),
    ],
)
def test_rows_of_a_transposed_convolution_are_between_its_bounds(
    tmp_path: Path, source: list[int], kernel: tuple[int, int], channels: int,
    stride: tuple[int, int], expected: int, build: str,
) -> None:  # fmt: skip
    # The values that Tests/Bindings/test_transpose_conv_buffer_size.py of CMSIS-NN expects.
    least, most = asked(tmp_path, _transposed(source, kernel, channels, stride), f"{ALL}-{build}")
    assert isinstance(least, tuple)
    assert isinstance(most, tuple)
    assert least[0] <= expected <= most[0] <= expected * 1.6
    assert len(least) == len(most) == 1


def test_a_transposed_convolution_of_many_channels_turns_its_weights(tmp_path: Path) -> None:
    # Likewise: 17 * 3 * 3 * 4 bytes of weights.
    file = _transposed([1, 4, 4, 17], (3, 3), 4, (2, 2))
    for kernels in (PLAIN, DSP, MVE):
        least, most = asked(tmp_path, file, kernels)
        assert isinstance(least, tuple)
        assert isinstance(most, tuple)
        assert least[1:] == most[1:] == (17 * 3 * 3 * 4,)


def _transposed(
    source: list[int], kernel: tuple[int, int], channels: int, stride: tuple[int, int]
) -> File:
    net = (file := File()).graph("INT8")
    weights = net.weights([channels, *kernel, source[3]], "", channels)
    sides = [side * step for side, step in zip(source[1:3], stride, strict=True)]
    out = [source[0], *sides, channels]
    made = options("TransposeConv", padding=schema.Padding.SAME,
                   strideH=stride[0], strideW=stride[1])  # fmt: skip
    x = net.input(source)
    net.outputs = [net.op("TRANSPOSE_CONV", [net.numbers(out), weights, x, net.bias(channels)],
                          out, options=made)]  # fmt: skip
    return file


def test_sums_of_a_pool_are_kept_with_the_dsp_instructions_only(tmp_path: Path) -> None:
    # arm_avgpool_s8_get_buffer_size_dsp: 4 * channels.
    net = (file := File()).graph("INT8")
    net.outputs = [net.pool(net.input([1, 8, 8, 13]), 2, "AVERAGE_POOL_2D")]
    assert asked(tmp_path, file, PLAIN) == asked(tmp_path, file, MVE) == ((), ())
    assert asked(tmp_path, file, DSP) == ((52,), (52,))


def test_a_fused_lstm_of_cmsis_nn_needs_three_buffers_where_the_reference_needs_four(
    tmp_path: Path,
) -> None:
    # unidirectional_sequence_lstm.cc of kernels/cmsis_nn: number_of_buffers = 3.
    found = read(tmp_path, MODELS["lstm_int8"]())
    op = next(op for op in found.ops if op.kind == "UNIDIRECTIONAL_SEQUENCE_LSTM")
    states = [len(scratch(op, found.main.tensors)) for scratch in scratches(ALL)]
    assert states == [3] * 6


def test_pointers_have_four_bytes(tmp_path: Path) -> None:
    net = (file := File()).graph("FLOAT32")
    xs = [net.input([1, 8]) for _ in range(5)]
    net.outputs = [net.op("ADD_N", xs, [1, 8], options=options("AddN"))]
    assert asked(tmp_path, file, MVE) == ((20,), (20,))


# --- plans ---------------------------------------------------------------------------


def test_a_plan_is_a_figure_where_all_builds_ask_for_the_same(tmp_path: Path) -> None:
    # arm_convolve_s8_get_buffer_size: 2 columns of 3 * 3 * 16 elements of 16 bits, in each build.
    net = (file := File()).graph("INT8")
    net.outputs = [net.conv(net.input([1, 8, 8, 16]), 4)]
    found = planned(tmp_path, file.pack())
    assert [a.buffer.size for a in found.allocations if a.buffer.scratch] == [576]
    assert found.size == found.upper == 8 * 8 * 16 + 8 * 8 * 4 + 576
    assert found.reasons == (
        "its scratch memory is by CMSIS-NN's own formulas, not compared with a runtime",
    )


def test_a_plan_has_both_ends_where_builds_differ(tmp_path: Path) -> None:
    net = (file := File()).graph("INT8")
    net.outputs = [net.depthwise(net.input([1, 8, 8, 64]), 5)]
    found = planned(tmp_path, file.pack())
    assert (found.size, found.upper) == (2 * 64 * 64, 2 * 64 * 64 + 12_400)
    assert found.reasons == (
        "CMSIS-NN may ask for more scratch memory, by CPU and release, for DEPTHWISE_CONV_2D, "
        "up to 12400 bytes more in all",
    )
    one = planned(tmp_path, file.pack(), DSP)
    assert one.size == one.upper == 2 * 64 * 64 + 3_200


def test_a_build_that_is_not_known_has_no_upper_end(tmp_path: Path) -> None:
    found = planned(tmp_path, MODELS["residual_int8"](), "cmsis-nn-v9")
    assert (found.upper, found.exact) == (None, False)
    assert found.reasons == ("the scratch memory of cmsis-nn-v9 kernels is not known",)
    assert set(BUILDS) == CMSIS_NN


def test_nothing_bounds_a_plan_with_an_op_that_is_not_known(tmp_path: Path) -> None:
    net = (file := File()).graph("INT8")
    net.outputs = [net.same("GELU", net.conv(net.input([1, 8, 8, 16]), 4), options("Gelu"))]
    found = planned(tmp_path, file.pack())
    assert found.upper is None
    assert "GELU: the scratch memory of this op is not known" in found.reasons


@pytest.mark.parametrize("name", MODELS)
def test_a_plan_with_cmsis_nn_is_never_called_exact(tmp_path: Path, name: str) -> None:
    found = planned(tmp_path, MODELS[name]())
    assert not found.exact
    assert found.upper is not None
    assert found.size <= found.upper
    assert "CMSIS-NN" in found.reasons[-1]
    if not name.startswith("offline"):
        assert faults(found, ALIGNMENT) == ()


@pytest.mark.parametrize("name", [name for name in MODELS if name.endswith("float32")])
def test_float_models_are_planned_as_with_the_reference_kernels(tmp_path: Path, name: str) -> None:
    content = MODELS[name]()
    found = planned(tmp_path, content)
    if "ADD_N" not in {op.kind for op in read(tmp_path, content).ops}:
        assert found.size == found.upper == head_and_tail(content)[0]


@pytest.mark.parametrize("name", MODELS)
def test_each_build_lies_within_all_of_them(tmp_path: Path, name: str) -> None:
    whole = planned(tmp_path, MODELS[name]())
    parts = [planned(tmp_path, MODELS[name](), kernels) for kernels in (PLAIN, DSP, MVE)]
    assert whole.size == min(part.size for part in parts)
    assert whole.upper == max(part.upper or 0 for part in parts)
    assert whole.persistent is not None
    highest = max(part.persistent.high for part in parts if part.persistent)
    assert whole.persistent.high == highest


@pytest.mark.parametrize("kernels", [PLAIN, DSP, MVE])
def test_any_mixture_of_releases_is_planned_within_the_bounds(
    tmp_path: Path, kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices = scratches(kernels)
    for seed in range(25):
        found = read(tmp_path, _network(seed))
        bounds = plan(found, "tflm", kernels)
        chance = random.Random(seed)
        with monkeypatch.context() as patched:
            patched.setattr(
                "pytest_edgebudget.graph.memory_tflm_cmsis.scratches",
                lambda _, chance=chance: [lambda *op: chance.choice(choices)(*op)],
            )
            mixed = [plan(found, "tflm", kernels).size for _ in range(4)]
        assert bounds.upper is not None
        assert bounds.size <= min(mixed)
        assert max(mixed) <= bounds.upper


def _network(seed: int) -> bytes:
    """A seeded network of 8-bit convolutions."""
    chance, file = random.Random(seed), File(seed)
    net = file.graph("INT8")
    x = net.input([1, chance.choice([8, 16, 24]), chance.choice([8, 16]), chance.choice([3, 8])])
    for _ in range(chance.randint(3, 20)):
        kind = chance.choice(["conv", "pointwise", "depthwise", "pool"])
        if kind == "depthwise":
            x = net.depthwise(x, chance.choice([3, 5]))
        elif kind == "pool" and min(net.shape(x)[1:3]) > 1:
            x = net.pool(x, 2, "AVERAGE_POOL_2D")
        else:
            x = net.conv(x, chance.choice([4, 8, 16, 48]), 1 if kind == "pointwise" else 5)
    net.outputs = [x]
    return file.pack()


def test_a_random_graph_of_hundreds_of_ops_has_both_ends(tmp_path: Path) -> None:
    found = planned(tmp_path, random_graph(1, 300))
    assert found.upper is not None
    assert found.size <= found.upper


@pytest.mark.reference
def test_the_keyword_spotter_needs_a_block_of_channels_more_with_helium(
    reference_models: Path,
) -> None:
    found = graph.read(reference_models / "kws_dscnn/models/kws_int8.tflite")
    ends = {}
    for kernels in (PLAIN, DSP, MVE):
        one = plan(found, "tflm", kernels)
        ends[kernels] = one.size, one.upper
    # At its peak a depthwise convolution of 3 x 3: 4 * 124 * 9 bytes with Helium, else nothing;
    # a pointwise one of 64 channels: 2 * 64 * 2 bytes under Arm's compiler.
    assert ends == {
        PLAIN: (16_000, 16_000),
        DSP: (16_000, 16_256),
        MVE: (16_000 + 4_464, 16_000 + 4_464),
    }


# --- what is kept for good --------------------------------------------------------------


def test_sums_of_constant_weights_stay_with_helium(tmp_path: Path) -> None:
    # arm_fully_connected_s8_get_buffer_size_mve: 4 * output channels; fully_connected.cc keeps them.
    net = (file := File()).graph("INT8")
    net.outputs = [net.dense(net.input([1, 64]), 48)]
    bands = {kernels: planned(tmp_path, file.pack(), kernels).persistent for kernels in BUILDS}
    plain, helium = bands[PLAIN], bands[MVE]
    assert plain is not None
    assert helium is not None
    assert (helium.low, helium.high) == (plain.low, plain.high + 4 * 48)
    assert bands[ALL] == helium
    assert bands[DSP] == plain
