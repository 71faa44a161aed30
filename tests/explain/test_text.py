"""`edgebudget explain MODEL` as text: whole outputs, bounded widths, odd models."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_edgebudget.explain import command
from pytest_edgebudget.explain.words import common_prefix, for_encoding, shape, share, shorten

Explain = Callable[..., str]

SMALL = """\
model.tflite
  format     TensorFlow Lite, 2.12 KiB
  input      input: 1x4x4x2 float32
  output     scores: 1x5 float32
  MACs       1.10 k (exact): convolution 864 (78 %), fully connected 240 (22 %)
  other      96 operations (exact): biases, activations, pooling ...
  traffic    1.47 KiB read, 212 B written by all ops (exact)
  weights    297 parameters (exact)
  constants  1.17 KiB (exact): float32 1.16 KiB (99 %), int32 8 B (<1 %)
  memory     384 B of activations in tflm (exact); no placement needs less in this order of ops
  device     board: activations take 75 % of the 512 B of ram
  device     board: the model takes 106 % of the 2.00 KiB of flash, which is too much

# op              layer    output  type    params bytes MACs share   live
0 CONV_2D         features 1x4x4x3 float32     57 228 B  864  78 % 320 B
1 RESHAPE         flat     1x48    float32          8 B            384 B◂
2 FULLY_CONNECTED scores   1x5     float32    240 960 B  240  22 % 212 B

Time on board, not estimated: no times of tflm on board in fp32 were published

Memory map
█ written  ▓ read  ░ kept  ▒ scratch  · free  (one column is 7 B)
    0 CONV_2D              in▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓··········0█████████████████████████████      320 B
    1 RESHAPE              1█████████████████████████████0▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓      384 B◂
    2 FULLY_CONNECTED      1▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓2██···························      212 B

Peak: 1 RESHAPE flat: 384 B in use
       192 B  50 % written of 1     1x48 float32  flat
       192 B  50 % read    of 0     1x4x4x3 float32  features
  all other ops need 320 B at most

What would lower it, to:
        96 B  int8 activations (estimated)
       224 B  half the channels (or rows) of flat and features (estimated)
"""

BOARD = """\
title = "A board"
runtimes = ["tflm"]

[[memory]]
name = "sram"
kind = "ram"
size = "512 B"

[[memory]]
name = "flash"
kind = "flash"
size = "2 KiB"

[sources]
memory = "made up"
"""


def test_a_small_model_on_a_board(explained: Explain) -> None:
    import tflite_models as tfl

    Path("board.toml").write_text(BOARD)
    estimates = (
        "stays beside it",
        "  arena ",
        "to plan takes",
    )  # what they say is the planner's to test
    lines = explained(tfl.pack(tfl.small_cnn()), profile="board.toml").splitlines(keepends=True)
    kept = [line for line in lines if not any(words in line for words in estimates)]
    assert "".join(kept) == SMALL


def relus(count: int, size: int = 64, name: str = "layer") -> bytes:
    """A chain of activations."""
    import tflite_models as tfl

    tensors = [tfl.tensor(f"{name}/{i}", [1, size]) for i in range(count + 1)]
    ops = [tfl.op(0, [i], [i + 1]) for i in range(count)]
    main = tfl.subgraph(tensors, ops, [0], [count])
    return tfl.pack(tfl.model([tfl.code("RELU")], [main], [tfl.buffer()]))


def test_of_many_layers_the_ones_that_cost_most_are_shown(explained: Explain) -> None:
    lines = explained(relus(3000)).splitlines()
    assert len(lines) < 150
    assert any(line.startswith("  ⋮ ") and "more: 0 MACs" in line for line in lines)
    assert any(line.startswith("2999 RELU") for line in lines)


@pytest.mark.parametrize("name", ["x" * 5000, "a\nb\x1b[31m\x07", "日本語" * 40, "", "/", "model/"])
def test_names_of_any_kind_stay_in_their_column(explained: Explain, name: str) -> None:
    text = explained(relus(3, name=name))
    assert text.isprintable() or all(line.isprintable() for line in text.splitlines())
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.reference
def test_a_buffer_that_many_tensors_share_shows_who_wrote_it_last(
    explained: Explain, reference_models: Path
) -> None:
    # onnxruntime computes Add into a buffer of its own, and Relu in place.
    text = explained(reference_models / "mnist_cnn_onnx/models/mnist.onnx")
    rows = {
        line[6:26].strip(): line[27:87] for line in text[text.index("Memory map") :].splitlines()
    }
    assert rows["Relu"].count("7█") == 1
    assert "▓" not in rows["Relu"]
    assert {"█", "▓"} <= {*rows["MaxPool"]}


def test_ops_that_only_rewrite_constants_are_not_shown(explained: Explain) -> None:
    import tflite_models as tfl

    value = tfl.small_cnn()
    main = value.subgraphs[0]
    value.operatorCodes.append(tfl.code("DEQUANTIZE"))
    main.tensors[6].type = tfl.schema.TensorType.FLOAT16
    value.buffers[4] = tfl.buffer(bytes(480))
    main.tensors.append(tfl.tensor("as_float", [5, 48]))
    main.operators.insert(2, tfl.op(3, [6], [8]))
    main.operators[3].inputs = [5, 8, -1]
    text = explained(tfl.pack(value))
    table = text[: text.index("Memory map")]
    assert "DEQUANTIZE" not in table
    assert "  1 op that only holds or rewrites constants (0 B) is not shown" in table


def test_what_cannot_be_counted_is_a_question_mark_and_the_sum_is_a_bound(
    explained: Explain,
) -> None:
    import tflite_models as tfl

    value = tfl.small_cnn()
    value.operatorCodes[1] = tfl.code("CUSTOM", custom="AudioMagic")
    value.subgraphs[0].operators[1] = tfl.op(1, [3], [5])
    lines = explained(tfl.pack(value)).splitlines()
    assert "  MACs       1.10 k (at least): convolution 864 (78 %)" in "\n".join(lines)
    (row,) = [line for line in lines if line.startswith("1 AudioMagic")]
    assert " ? " in row
    assert "             1 op cannot be counted from the file" in lines


def test_a_model_without_ops_is_explained(explained: Explain) -> None:
    import tflite_models as tfl

    main = tfl.subgraph([tfl.tensor("x", [1, 4])], [], [0], [0])
    text = explained(tfl.pack(tfl.model([], [main], [tfl.buffer()])))
    assert "  MACs       0 (exact)\n" in text


def test_a_dynamic_batch_is_said_to_be_one(explained: Explain) -> None:
    import onnx_models as om

    node = om.helper.make_node("Relu", ["x"], ["y"])
    proto = om.model([node], [om.value("x", "n", 8)], [om.value("y", "n", 8)], [])
    text = explained(proto.SerializeToString(), name="model.onnx")
    assert "  batch      dynamic: all figures are for a batch of one\n" in text
    (row,) = [line.split() for line in text.splitlines() if line.startswith("0 Relu")]
    assert row[:5] == ["0", "Relu", "y", "1x8", "float32"]


def open_image(*sizes: int | str) -> bytes:
    """A convolution of an image whose sizes may be names: open."""
    import onnx_models as om

    node = om.helper.make_node("Conv", ["x", "w"], ["y"])
    outputs = [om.helper.make_empty_tensor_value_info("y")]
    weights = [om.constant("w", 8, 3, 3, 3)]
    proto = om.model([node], [om.value("x", *sizes)], outputs, weights)
    return bytes(proto.SerializeToString())


def test_open_sizes_other_than_the_batch_are_named_and_nothing_that_depends_on_them_is_exact(
    explained: Explain,
) -> None:
    text = explained(open_image("n", 3, "h", "w"), name="model.onnx")
    assert "  open       dimensions 2 and 3 of x (the first is 0): memory counts 1 for each" in text
    assert "  MACs       not known\n" in text
    assert "  other      not known: biases" in text
    assert "  traffic    not known\n" in text
    assert "Memory map, with 1 for each open size\n" in text
    assert " in use, with 1 for each open size\n" in text
    assert "What would lower it" not in text


def test_an_open_size_of_a_tflite_is_no_exact_plan(explained: Explain) -> None:
    import tflite_models as tfl

    def model(signature: list[int]) -> bytes:
        x = tfl.tensor("x", [1, 1, 3], shapeSignature=signature)
        main = tfl.subgraph([x, tfl.tensor("y", [1, 1, 3])], [tfl.op(0, [0], [1])], [0], [1])
        return tfl.pack(tfl.model([tfl.code("RELU")], [main], [tfl.buffer()]))

    for signature, evidence in (([-1, 1, 3], "(exact)"), ([-1, -1, 3], "(at least)")):
        (line,) = (s for s in explained(model(signature)).splitlines() if "of activations in" in s)
        assert evidence in line
    assert "dimension 1 of x (the first is 0)" in explained(model([-1, -1, 3]))


@pytest.mark.parametrize(
    ("profile", "runtime", "accelerator"),
    [
        ("coral-dev-board", "tflite-runtime", "edge-tpu"),
        ("android-gpu", "litert", "gpu-delegate"),
        ("ethos-u55-128", "tflm with cmsis-nn kernels", "ethos-u55-128"),
    ],
)
def test_the_plan_beside_an_accelerator_is_that_of_the_cpu_alone(
    explained: Explain, profile: str, runtime: str, accelerator: str
) -> None:
    import tflite_models as tfl

    text = " ".join(explained(tfl.pack(tfl.small_cnn()), profile=profile).split())
    assert f"of activations in {runtime}, on the CPU alone (" in text
    assert f"what {accelerator} runs is planned anew for it: this is the plan without it" in text


def test_a_model_that_was_compiled_for_the_accelerator_has_its_plan(explained: Explain) -> None:
    import tflite_models as tfl

    value = tfl.small_cnn()
    value.operatorCodes[1] = tfl.code("CUSTOM", custom="ethos-u")
    value.subgraphs[0].operators[1] = tfl.op(1, [3], [5])
    text = explained(tfl.pack(value), profile="ethos-u55-128")
    assert "on the CPU alone" not in text
    assert "planned anew" not in text


def test_what_makes_an_arena_larger_than_its_parts_is_said(explained: Explain) -> None:
    from static_models import MODELS

    text = explained(MODELS["unrolled_float32"](), profile="stm32l4r5-tflm")
    assert re.search(r"\n  arena .* in all\n +to plan takes [\d.]+ KiB, in the place of", text)
    small = explained(MODELS["chain_float32"](), profile="stm32l4r5-tflm")
    assert "to plan takes" not in small


@pytest.mark.parametrize("width", [40, 50, 64, 80, 100])
@pytest.mark.parametrize("name", ["encoder_decoder_int8", "unrolled_float32", "attention_float32"])
def test_lines_fit_into_a_narrow_terminal(
    explained: Explain, monkeypatch: pytest.MonkeyPatch, width: int, name: str
) -> None:
    from static_models import MODELS

    monkeypatch.setattr(command, "columns", lambda: width)
    lines = explained(MODELS[name](), profile="stm32l4r5-tflm").splitlines()
    assert [line for line in lines if len(line) > width] == []
    header = next(line for line in lines if line.lstrip().startswith("# op"))
    assert header.split()[0 :: len(header.split()) - 1] == ["#", "live"]
    assert "type" in header or width < 100
    assert "share" not in header or width > 50


def test_output_that_is_no_terminal_has_100_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command.columns() == 100
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1)
    for there, used in ((200, 100), (72, 72), (9, 40)):
        monkeypatch.setattr(os, "get_terminal_size", lambda _, n=there: os.terminal_size((n, 24)))
        assert command.columns() == used


@pytest.mark.parametrize("name", ["branches", "loop", "nested"])
def test_ops_of_other_subgraphs_are_numbered_with_theirs(explained: Explain, name: str) -> None:
    import static_control

    text = explained(getattr(static_control, name)(), profile="stm32l4r5-tflm")
    table, map_ = (part.splitlines() for part in text.partition("Memory map")[::2])
    for lines in (table, map_):
        numbers = [line.split()[0] for line in lines if line.split()]
        assert "0" in numbers
        assert "1.0" in numbers


@pytest.mark.reference
@pytest.mark.parametrize("profile", [None, "stm32l4r5-tflm"])
def test_no_line_is_wider_than_100_columns(
    explained: Explain, reference_models: Path, profile: str | None
) -> None:
    suffixes = {".tflite"} if profile else {".tflite", ".onnx"}
    models = [p for p in reference_models.glob("*/models/*") if p.suffix in suffixes]
    assert len(models) >= 8
    for path in models:
        lines = explained(path, profile=profile).splitlines()
        assert all(len(line) <= 100 for line in lines[1:]), path  # the first is the path itself


@pytest.mark.reference
def test_explain_loads_neither_numpy_nor_the_json_or_xml_of_the_standard_library(
    reference_models: Path,
) -> None:
    model = reference_models / "kws_dscnn/models/kws_int8.tflite"
    script = (
        "import sys; from pytest_edgebudget.cli import main; main(['explain', sys.argv[1]]); "
        "print(sorted({'numpy', 'json', 'xml', 'pytest', 'pluggy'} & set(sys.modules)))"
    )
    command = [sys.executable, "-I", "-S", "-c", PATH + script, str(model)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


# -I and -S keep out what a developer's environment loads at the start.
PATH = f"import sys; sys.path.insert(0, {str(Path(__file__).parent.parent.parent)!r}); "


# --- words ------------------------------------------------------------------------------------


def test_a_long_name_loses_its_middle() -> None:
    assert shorten("block_1/expand/BatchNorm/FusedBatchNormV3", 24) == "block_1/…usedBatchNormV3"
    assert shorten("short", 24) == "short"
    assert [len(shorten("x" * 50, width)) for width in range(1, 30)] == list(range(1, 30))


def test_a_prefix_that_nearly_all_names_have_is_left_out() -> None:
    assert common_prefix(["model/a", "model/b", "Identity"]) == "model/"
    assert common_prefix(["model/a", "other/b", "Identity"]) == ""
    assert common_prefix([]) == ""


def test_shares_and_shapes_are_words() -> None:
    assert [share(n, 200) for n in (0, 1, 3, 200, None)] == ["", "<1 %", "2 %", "100 %", ""]
    assert [shape(s) for s in ((1, -1, 3), (), None)] == ["1x?x3", "scalar", "?"]


def test_a_terminal_without_block_characters_gets_plain_ones() -> None:
    assert for_encoding("█▓░▒· ◂", "utf-8") == "█▓░▒· ◂"
    assert for_encoding("█▓░▒· ◂", "ascii") == "#=-%. <"
    assert for_encoding("█", "no-such-encoding") == "#"
