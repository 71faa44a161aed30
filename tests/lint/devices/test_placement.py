"""Placements, against those of Vela and LiteRT, and TFLite Micro's own list of operators."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices import load_profile, profiles
from pytest_edgebudget.devices.constraints import Table, table_of
from pytest_edgebudget.devices.constraints.names import TABLES
from pytest_edgebudget.devices.placement import partitions, placed, placement
from tests.graph import tflite_models as tfl

Ask = Callable[[str, list[Path]], dict[Path, Any]]
OPERATORS = [name for name in vars(tfl.schema.BuiltinOperator) if not name.startswith("_")]


def table(name: str) -> Table:
    found = table_of(name)
    assert found is not None
    return found


def differences(name: str, asked: dict[Path, Any]) -> tuple[list[str], int]:
    """Models that *name* and the tool place differently, and the number of ops compared."""
    wrong, ops = [], 0
    for path, theirs in asked.items():
        if "error" in theirs:
            continue
        read = graph.read(path)
        ours = placed(read, table(name))
        by_index = all(isinstance(it, int) for it in theirs["cpu"])
        off = sorted(it.index if by_index else it.op.kind for it in ours if not it.on)
        ops += len(ours)
        pieces = partitions(read.main, [it.side for it in ours])
        if off != theirs["cpu"]:
            wrong.append(f"{path.name}: ours {off}, theirs {theirs}")
        elif pieces != theirs["partitions"] and path.name not in ADDED:
            wrong.append(f"{path.name}: our pieces {pieces}, theirs {theirs}")
    return wrong, ops


ADDED = ("greater.int16.tflite",)  # Vela puts an op of its own behind the one on the CPU


@pytest.mark.slow
@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-256", "ethos-u85-256"])
def test_ethos_u_gets_the_ops_that_vela_gives_it(
    accelerator: str, op_models: Path, ask: Ask
) -> None:
    pytest.importorskip("ethosu.vela", reason="ethos-u-vela is not installed")
    models = sorted([*op_models.glob("*.int8.tflite"), *op_models.glob("*.int16.tflite")])
    asked = ask(accelerator, models)
    wrong, ops = differences(accelerator, asked)
    assert not wrong
    assert ops > 500
    refused = {path.name for path, theirs in asked.items() if "error" in theirs}
    assert all("greater" in it or it.endswith(".int16.tflite") for it in refused), refused


@pytest.mark.slow
def test_what_vela_refuses_to_compile_is_not_placed_on_the_npu(op_models: Path, ask: Ask) -> None:
    pytest.importorskip("ethosu.vela", reason="ethos-u-vela is not installed")
    names = ("argmax.int16", "argmax_64.int16", "hard_swish.int16")
    models = [op_models / f"{name}.tflite" for name in names]
    for path, theirs in ask("ethos-u55-128", models).items():
        assert "does not have valid TFLite Semantics" in theirs["error"].replace("Does", "does")
        kinds = {it.op.kind: it.on for it in placed(graph.read(path), table("ethos-u55-128"))}
        assert not kinds.get("ARG_MAX")
        assert not kinds.get("HARD_SWISH")


@pytest.mark.slow
def test_xnnpack_gets_the_ops_that_litert_delegates(op_models: Path, ask: Ask) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    wrong, ops = differences("xnnpack", ask("xnnpack", sorted(op_models.glob("*.tflite"))))
    assert not wrong
    assert ops > 700


@pytest.mark.reference
@pytest.mark.parametrize("tool", ["ethos-u55-128", "ethos-u85-256", "xnnpack"])
def test_real_models_are_placed_as_the_tools_do(
    tool: str, reference_models: Path, ask: Ask
) -> None:
    pytest.importorskip("ethosu.vela" if tool != "xnnpack" else "ai_edge_litert")
    pattern = "*.tflite" if tool == "xnnpack" else "*int8.tflite"
    asked = ask(tool, sorted(reference_models.rglob(pattern)))
    assert not differences(tool, asked)[0]
    assert not [theirs for theirs in asked.values() if "error" in theirs]


@pytest.mark.reference
def test_vela_places_no_op_of_a_float_model(reference_models: Path, ask: Ask) -> None:
    pytest.importorskip("ethosu.vela", reason="ethos-u-vela is not installed")
    models = sorted(reference_models.rglob("*float32.tflite"))
    for path, theirs in ask("ethos-u55-128", models).items():
        assert theirs["partitions"] == 0
        placed_here = placed(graph.read(path), table("ethos-u55-128"))
        assert not any(it.on and not it.gone for it in placed_here)


def test_tflite_micro_has_the_operators_of_its_interpreter(tmp_path: Path, ask: Ask) -> None:
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
    custom = sorted(table("tflm").custom - {"ethos-u"})
    models = {_one_op(tmp_path, name): name for name in OPERATORS if name not in NO_OPERATORS}
    models |= {_one_op(tmp_path, name, custom=True): name for name in (*custom, "NOT_THERE")}
    asked = ask("tflm", list(models))
    known = {models[path] for path, theirs in asked.items() if theirs["known"]}
    assert known == (table("tflm").ops | table("tflm").custom) - {"ethos-u"}


NO_OPERATORS = ("CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES")


def _one_op(folder: Path, name: str, *, custom: bool = False) -> Path:
    code = tfl.code("CUSTOM", custom=name) if custom else tfl.code(name)
    tensors = [tfl.tensor("x", [1, 4]), tfl.tensor("y", [1, 4])]
    model = tfl.model(
        [code], [tfl.subgraph(tensors, [tfl.op(0, [0], [1])], [0], [1])], [tfl.buffer()]
    )
    path = folder / f"{'custom-' * custom}{name}.tflite"
    path.write_bytes(tfl.pack(model))
    return path


# --- the tables ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(TABLES)))
def test_a_table_names_operators_that_exist_and_its_sources(name: str) -> None:
    found = table(name)
    assert found.ops <= set(OPERATORS)
    assert found.sources
    for each in found.constraints:
        assert each.ops <= found.ops, each.message
        assert each.without <= found.ops, each.message
        assert not (each.ops and each.without), each.message


def test_a_device_without_accelerator_and_kernels_places_nothing(tmp_path: Path) -> None:
    path = _one_op(tmp_path, "ABS")
    pi = load_profile(profiles()["raspberry-pi-4"])
    assert placement(graph.read(path), pi) == ()


# --- the Edge TPU: what Coral's page says ---------------------------------------------------


def on(name: str, path: Path) -> list[bool]:
    return [it.on for it in placed(graph.read(path), table(name))]


def reasons(name: str, path: Path) -> list[str]:
    return [str(r) for it in placed(graph.read(path), table(name)) for r in it.reasons]


@pytest.mark.slow
def test_the_edge_tpu_takes_what_corals_page_lists(op_models: Path) -> None:
    taken = ("conv_3", "depthwise_stride_2", "dense", "avg_same_3", "mean_hw", "softmax", "pad",
             "concat_5", "add", "bilinear_2", "transpose_swap", "strided_1", "tanh")  # fmt: skip
    for name in taken:
        assert all(on("edge-tpu", op_models / f"{name}.int8.tflite")), name
    refused = {
        "gather": "the Edge TPU has no GATHER",
        "conv_batch_2": "only the last 3 dimensions may be larger than 1 (shape 2x12x12x8)",
        "strided_2": "strides of a slice must be 1 (it has [1, 2, 2, 1])",
    }
    for name, reason in refused.items():
        assert reasons("edge-tpu", op_models / f"{name}.int8.tflite") == [reason], name
    assert (
        "feature maps must have 8 bits"
        in reasons("edge-tpu", op_models / "conv_3.float32.tflite")[0]
    )


@pytest.mark.slow
def test_nothing_runs_on_the_edge_tpu_after_the_first_op_that_does_not(op_models: Path) -> None:
    path = op_models / "floor_div.int8.tflite"
    kinds = [op.kind for op in graph.read(path).ops]
    assert kinds[:2] == ["DEQUANTIZE", "ABS"]
    assert not any(on("edge-tpu", path))
    order = "behind DEQUANTIZE, which is not taken, all operators run on the CPU"
    assert reasons("edge-tpu", path)[kinds.index("ADD")] == order


# --- the GPU delegate: what gpu_compatibility.cc says --------------------------------------


@pytest.mark.slow
def test_the_gpu_delegate_takes_what_its_source_lists(op_models: Path) -> None:
    taken = ("conv_stride_4_same", "softmax", "add_channels", "mean_hw", "nearest_3", "mirror_pad",
             "split_8", "elu", "pow", "argmax")  # fmt: skip
    assert [all(on("gpu-delegate", op_models / f"{n}.float32.tflite")) for n in taken] == [
        *[True] * 9, False,
    ]  # fmt: skip
    refused = {
        "mul_outer": "one operand must be at least as large as the other in all dimensions "
        "(1x12x1x8 with 1x1x12x8)",
        "symmetric_pad": "only the reflecting mode is taken (mode is SYMMETRIC)",
        "slice_2d": "slices must be of three or four dimensions (2 dimensions)",
        "strided_shrink": "a slice must have no shrink-axis mask (shrink_axis_mask is 2)",
        "top_k": "the GPU delegate has no TOPK_V2",
    }
    for name, reason in refused.items():
        assert reasons("gpu-delegate", op_models / f"{name}.float32.tflite") == [reason], name


# --- pieces --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sides", "pieces"),
    [("", 0), ("1", 1), ("0", 0), ("111", 1), ("101", 2), ("0110", 1), ("10101", 3)],
)
def test_a_chain_has_as_many_pieces_as_runs_of_one_side(sides: str, pieces: int) -> None:
    ops = [tfl.op(0, [n], [n + 1]) for n in range(len(sides))]
    assert partitions(_subgraph(ops, len(sides) + 1), [side == "1" for side in sides]) == pieces


def test_branches_of_one_side_are_one_piece() -> None:
    # 0 -> a -> 1, 0 -> b (CPU) -> 2, 0 -> c -> 3, (1, 3) -> d -> 4: b waits beside, not between.
    ops = [tfl.op(0, *it) for it in (([0], [1]), ([0], [2]), ([0], [3]), ([1, 3], [4]))]
    assert partitions(_subgraph(ops, 5), [True, False, True, True]) == 1


def test_a_long_chain_of_changing_sides_is_counted_in_linear_time() -> None:
    count = 20_000
    ops = [tfl.op(0, [n], [n + 1]) for n in range(count)]
    subgraph = _subgraph(ops, count + 1)
    started = time.process_time()
    assert partitions(subgraph, [n % 2 == 0 for n in range(count)]) == count // 2
    assert time.process_time() - started < 2


def test_ops_that_wait_for_each_other_are_in_no_piece() -> None:
    ops = [tfl.op(0, [0, 2], [1]), tfl.op(0, [1], [2])]
    assert partitions(_subgraph(ops, 3), [True, True]) == 0


def _subgraph(ops: Iterable[Any], tensors: int) -> Any:
    from pytest_edgebudget.graph.ir import Op, Subgraph, Tensor

    return Subgraph(
        name="main",
        tensors=tuple(Tensor(f"t{n}", "int8", (1, 4)) for n in range(tensors)),
        ops=tuple(Op("ABS", "abs", tuple(op.inputs), tuple(op.outputs)) for op in ops),
        inputs=(0,),
        outputs=(tensors - 1,),
    )


@pytest.mark.parametrize("name", sorted(set(TABLES)))
def test_a_condition_says_what_must_hold_and_not_what_is(name: str) -> None:
    # It is printed as a reason: "a slice has no mask (this one's is 1)" says the opposite.
    words = ("must", "may be", "may have", "may sum", "only", "can be", "needs", "need ", "at most",
             "not taken", "no dilation")  # fmt: skip
    unlike = [
        it.message for it in table(name).constraints if not any(w in it.message for w in words)
    ]
    assert unlike == []
