"""LiteRT's planned arena is the runtime's own: each tensor at its offset, and the bytes in all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
import tflite_models as fb
from litert_arenas import GAP, Arenas, arenas, extent
from litert_hybrids import HYBRIDS
from litert_ops import OPS, around, folded, opened
from litert_ties import tied
from static_builder import File
from static_control import MODELS
from static_models import random_graph

from pytest_edgebudget import graph
from pytest_edgebudget.graph.arena import Allocation, Plan
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph, Tensor
from pytest_edgebudget.graph.memory import plan

KERNELS = ("reference", "builtin")
REAL = (
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
)
FILES: Mapping[str, Callable[[], bytes]] = {
    **MODELS,
    **HYBRIDS,
    **{f"random_{seed}": partial(random_graph, seed) for seed in range(20)},
    **{f"tied_{seed}": partial(tied, seed) for seed in range(60)},
    **{f"op_{name}": partial(around, op) for name, op in OPS.items()},
    **{f"open_{name}": partial(opened, op) for name, op in OPS.items()},
    **{f"folded_{name}": partial(folded, op) for name, op in OPS.items()},
}

WAIT = {
    "open_batch_to_space_nd_two": "the sizes of open tensors are other ones when the model runs",
    "open_slice_part": "on the heap",
    "open_topk_v2_two": "on the heap",
}
"""Models that have no plan before they run, and why."""

Looked = Mapping[tuple[str, str], tuple[Graph, Arenas]]


@pytest.fixture(scope="module")
def looked_up(tmp_path_factory: pytest.TempPathFactory) -> Looked:
    """Each model, and what the runtime did with it; one process for all of them."""
    folder = tmp_path_factory.mktemp("models")
    paths = []
    for name, make in FILES.items():
        paths.append(folder / f"{name}.tflite")
        paths[-1].write_bytes(make())
    found = {}
    for kernels in KERNELS:
        for name, path, seen in zip(FILES, paths, arenas(paths, kernels), strict=True):
            found[name, kernels] = graph.read(path), seen
    return found


def assert_same(model: Graph, planned: Plan, seen: Arenas) -> None:
    """The plan is exact, and what the runtime has, subgraph by subgraph."""
    assert (planned.exact, planned.reasons) == (True, ())
    total = 0
    for number, rows in enumerate(seen.tensors):
        mine = [item for item in planned.allocations if item.buffer.subgraph == number]
        if mine:
            total += _compared(model.subgraphs[number], mine, rows)
    assert planned.size == total


def _compared(subgraph: Subgraph, mine: list[Allocation], rows: dict[int, tuple[int, int]]) -> int:
    """The size of one arena, of which each tensor was found where it was planned."""
    low = min(item.offset for item in mine)
    end = max(item.end for item in mine) - low
    tensors = [item for item in mine if item.buffer.tensor >= 0]
    scalars = sum(not subgraph.tensors[item.buffer.tensor].shape for item in tensors)
    seen = [item for item in tensors if item.buffer.tensor in rows]
    assert len(seen) == len(tensors) - scalars  # the address of a scalar cannot be had
    if not seen:
        return end
    base = rows[seen[0].buffer.tensor][0] - (seen[0].offset - low)
    offsets = {i.buffer.tensor: (i.offset - low, i.buffer.size) for i in seen}
    assert offsets == {tensor: (rows[tensor][0] - base, rows[tensor][1]) for tensor in offsets}
    arena = {i: row for i, row in rows.items() if not _in_file(subgraph, i)}
    stop = extent(arena, base, GAP * (1 + scalars)) - base
    assert stop <= end <= stop + GAP * scalars
    return end


def _in_file(subgraph: Subgraph, index: int) -> bool:
    return index < len(subgraph.tensors) and subgraph.tensors[index].constant


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", FILES)
def test_generated_models_are_planned_as_the_runtime_plans_them(
    looked_up: Looked, name: str, kernels: str
) -> None:
    model, seen = looked_up[name, kernels]
    if seen.refused:
        pytest.skip(f"LiteRT does not run this model: {seen.refused[:80]}")
    planned = plan(model, "litert", kernels)
    if name in WAIT:
        assert (planned.exact, [WAIT[name] in reason for reason in planned.reasons]) == (
            False,
            [True],
        )
    else:
        assert_same(model, planned, seen)


def test_most_generated_models_run(looked_up: Looked) -> None:
    """What is skipped above are ops that have no reference kernel or do not take the type."""
    refused = {name for (name, _), (_, seen) in looked_up.items() if seen.refused}
    assert len(refused) < len(FILES) / 20
    assert not refused & {*HYBRIDS}


@pytest.mark.reference
@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", REAL)
def test_real_models_are_planned_as_the_runtime_plans_them(
    reference_models: Path, name: str, kernels: str
) -> None:
    path = reference_models / name
    model = graph.read(path)
    assert_same(model, plan(model, "litert", kernels), arenas([path], kernels, run=True)[0])


@pytest.mark.reference
@pytest.mark.parametrize(("kernels", "size"), [("reference", 52_224), ("builtin", 199_680)])
def test_optimised_kernels_gather_windows_first(
    reference_models: Path, kernels: str, size: int
) -> None:
    model = graph.read(reference_models / "ic_resnet8/models/resnet8_int8.tflite")
    assert plan(model, "litert", kernels).size == size


@pytest.mark.reference
def test_a_plan_takes_about_a_millisecond(reference_models: Path) -> None:
    models = [graph.read(reference_models / name) for name in REAL]
    plan(models[0], "litert")
    start = time.process_time()
    for model in models:
        plan(model, "litert")
    assert (time.process_time() - start) / len(models) < 0.005


def read(folder: Path, content: bytes) -> Graph:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return graph.read(path)


def test_an_op_that_is_not_in_the_table_makes_the_size_a_bound(tmp_path: Path) -> None:
    net = File().graph("FLOAT32")
    net.outputs = [net.op("RFFT2D", [net.input([1, 8, 8]), net.numbers([8, 8])], [1, 8, 5])]
    found = plan(read(tmp_path, net.file.pack()), "litert")
    assert not found.exact
    assert found.reasons == ("RFFT2D: the scratch memory of this op is not known",)
    assert found.size >= found.lower_bound > 0


def test_a_custom_op_makes_the_size_a_bound(tmp_path: Path) -> None:
    tensors = [fb.tensor("in", [1, 8]), fb.tensor("out", [1, 8])]
    main = fb.subgraph(tensors, [fb.op(0, [0], [1])], [0], [1])
    model = fb.model([fb.code("CUSTOM", custom=b"Mine")], [main], [fb.buffer()])
    found = plan(read(tmp_path, fb.pack(model)), "litert")
    assert (found.exact, found.size) == (False, 96)
    assert found.reasons == ("Mine: the scratch memory of this op is not known",)


def test_tensors_of_the_heap_are_counted_and_make_the_plan_inexact(tmp_path: Path) -> None:
    net = File().graph("FLOAT32")
    x = net.relu(net.input([1, 4, 4, 2]))
    size = net.input([2], "INT32")
    wide = net.op("RESIZE_NEAREST_NEIGHBOR", [x, size], [1, 8, 8, 2])
    net.outputs = [net.relu(wide)]
    found = plan(read(tmp_path, net.file.pack()), "litert")
    assert not found.exact
    assert found.reasons == ("512 bytes of tensors are allocated on the heap when their op runs",)
    assert found.size >= found.lower_bound == 128 + 8 + 2 * 512


def test_variables_and_unpacked_constants_are_kept_beside_the_arena(looked_up: Looked) -> None:
    model, _ = looked_up["hybrid_half_precision", "reference"]
    kept = plan(model, "litert").persistent
    assert kept is not None
    assert (kept.low, kept.value, kept.high) == (80, 80, 80)  # 20 weights of 16 bits as floats


def test_a_step_shows_what_is_in_use_at_it(looked_up: Looked) -> None:
    model, _ = looked_up["branches", "reference"]
    found = plan(model, "litert")
    sizes = [sum(item.buffer.size for item in found.at(step)) for step in range(len(found.steps))]
    assert sizes == list(found.live)
    assert max(sizes) == found.lower_bound <= found.size


def _wide(count: int, *, fan: bool) -> Graph:
    """A chain, or a fan whose tensors are all in use at once;"""
    tensors = tuple(Tensor(f"t{i}", "float32", (1, 8)) for i in range(count + 2))
    ops = [Op("FLOOR", "", (0 if fan else i,), (i + 1,)) for i in range(count)]
    last = Op("ADD_N", "", tuple(range(1, count + 1)), (count + 1,))
    main = Subgraph("main", tensors, (*ops, last), (0,), (count + 1,))
    return Graph("tflite", (main,), size=0)


@pytest.mark.parametrize("fan", [False, True])
def test_huge_graphs_are_planned_within_seconds(fan: bool) -> None:
    model = _wide(50_000, fan=fan)
    start = time.process_time()
    found = plan(model, "litert")
    assert time.process_time() - start < 8
    assert found.size >= found.lower_bound


def test_a_fan_too_wide_to_search_for_gaps_says_so_and_is_a_bound() -> None:
    found = plan(_wide(4_000, fan=True), "litert")
    assert found.reasons == ("too many tensors live at once to look for every gap",)
    assert found.size == found.lower_bound == (4_000 + 3) * 32
