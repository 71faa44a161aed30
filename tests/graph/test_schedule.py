"""A better order is found where there is one, and the runtimes then really take less memory."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import tflite_models as fb
from litert_arenas import arenas, extent
from static_builder import File, Net, options
from static_control import MODELS
from static_models import random_graph
from tflite_models import schema
from tflm_runtime import head_and_tail

from pytest_edgebudget import graph
from pytest_edgebudget.graph.ir import Graph, Op, Subgraph, Tensor
from pytest_edgebudget.graph.memory import plan
from pytest_edgebudget.graph.schedule import Order, better_order, is_fixed, reordered, work

RUNTIMES = ("tflm", "litert")
BRANCHING = ("branching_float32", "branching_int8")


def read(folder: Path, content: bytes) -> graph.Graph:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return graph.read(path)


def rewritten(content: bytes, order: Order) -> bytes:
    """The same file with its ops in another order."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    ops = model.subgraphs[0].operators
    model.subgraphs[0].operators = [ops[number] for number in order.ops]
    return fb.pack(model)


def arena_of_litert(path: Path, model: Graph) -> int:
    """The bytes of the runtime's arena, from the first input (which lies at its start)."""
    rows = arenas([path], "reference")[0].tensors[0]
    own = {
        i: row
        for i, row in rows.items()
        if i >= len(model.tensors) or not model.tensors[i].constant
    }
    start = own[min(model.main.inputs)][0]
    return extent(own, start) - start


def topological(model: Graph) -> Iterator[list[int]]:
    """All orders in which the ops can run."""
    needs = work(model, plan(model, "tflm")).needs

    def extend(done: list[int]) -> Iterator[list[int]]:
        if len(done) == len(needs):
            yield done
        for op, before in enumerate(needs):
            if op not in done and before <= set(done):
                yield from extend([*done, op])

    yield from extend([])


def small_graph(seed: int) -> bytes:
    """Up to eight ops of different sizes, each reading one or two earlier values."""
    choose = random.Random(seed)
    net = File(seed).graph("FLOAT32")
    made = [net.input([1, 8])]
    for _ in range(choose.choice([5, 6, 7, 8])):
        x = choose.choice(made[-4:])
        if choose.random() < 0.3 and len(made) > 2:
            y = choose.choice(made)
            shape = [*net.shape(x)[:-1], net.shape(x)[-1] + net.shape(y)[-1]]
            made.append(
                net.op("CONCATENATION", [x, y], shape, options=options("Concatenation", axis=1))
            )
        else:
            made.append(net.dense(x, choose.choice([2, 8, 40, 90])))
    net.outputs = [made[-1]]
    return net.file.pack()


def _axis() -> object:

    return options("Concatenation", axis=1)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("seed", range(40))
def test_no_order_of_a_small_graph_has_a_smaller_live_set(
    tmp_path: Path, seed: int, runtime: str
) -> None:
    model = read(tmp_path, small_graph(seed))
    bounds = [plan(reordered(model, ops), runtime).lower_bound for ops in topological(model)]
    found = better_order(model, runtime)
    if found is None:
        sizes = [plan(reordered(model, ops), runtime) for ops in topological(model)]
        best = [item.size for item in sizes if item.lower_bound == min(bounds)]
        now = plan(model, runtime)
        assert now.lower_bound == min(bounds) or max(best) >= now.size
    else:
        assert found.best
        assert found.peak_after == min(bounds)
        assert found.peak_before == plan(model, runtime).lower_bound


@pytest.mark.parametrize("name", BRANCHING)
def test_the_head_of_tflm_is_as_much_smaller_as_the_order_says(tmp_path: Path, name: str) -> None:
    content = MODELS[name]()
    found = better_order(read(tmp_path, content), "tflm")
    assert found is not None
    assert head_and_tail(content)[0] == found.before
    assert head_and_tail(rewritten(content, found))[0] == found.after
    assert 0.2 < found.saving < 0.3


@pytest.mark.parametrize("name", BRANCHING)
def test_the_arena_of_litert_is_as_much_smaller_as_the_order_says(
    tmp_path: Path, name: str
) -> None:
    content, path = MODELS[name](), tmp_path / "model.tflite"
    model = read(tmp_path, content)
    found = better_order(model, "litert")
    assert found is not None
    assert arena_of_litert(path, model) == found.before
    path.write_bytes(rewritten(content, found))
    assert arena_of_litert(path, graph.read(path)) == found.after
    assert 0.2 < found.saving < 0.3


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_run_in_the_better_order_with_the_memory_it_says(
    tmp_path: Path, seed: int, runtime: str
) -> None:
    content, path = random_graph(seed), tmp_path / "model.tflite"
    model = read(tmp_path, content)
    found = better_order(model, runtime)
    if found is None:
        return
    path.write_bytes(rewritten(content, found))
    if runtime == "tflm":
        assert head_and_tail(path.read_bytes())[0] == found.after < found.before
    else:
        assert arena_of_litert(path, graph.read(path)) == found.after < found.before


def expand_early(net: Net) -> int:
    """Two wide branches, opened side by side where one after the other would do."""
    x = net.input([1, 16])
    wide = [net.dense(x, 400) for _ in range(4)]
    narrow = [net.dense(w, 10) for w in wide]
    return net.concat(*narrow, axis=1)


def test_branches_are_better_finished_one_by_one(tmp_path: Path) -> None:
    net = File(2).graph("FLOAT32")
    net.outputs = [expand_early(net)]
    found = better_order(read(tmp_path, net.file.pack()), "tflm")
    assert found is not None
    assert all(found.ops[at + 1] == found.ops[at] + 4 for at in (0, 2, 4, 6))
    assert found.peak_before == (16 + 4 * 400) * 4
    assert found.peak_after == (16 + 400 + 3 * 10) * 4
    assert found.best


def test_it_is_the_same_order_each_time(tmp_path: Path) -> None:
    model = read(tmp_path, random_graph(3))
    assert better_order(model, "litert") == better_order(model, "litert")


@pytest.mark.parametrize("name", ["chain_int8", "residual_float32", "lstm_int8", "loop"])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_where_only_one_order_is_sensible_there_is_none_better(
    tmp_path: Path, name: str, runtime: str
) -> None:
    assert better_order(read(tmp_path, MODELS[name]()), runtime) is None


def test_nothing_moves_across_an_op_with_state(tmp_path: Path) -> None:
    """The same branches, with a filter that remembers between them: their order stays."""
    net = File(4).graph("FLOAT32")
    x = net.input([1, 16])
    wide = [net.dense(x, 400) for _ in range(2)]
    state = net.tensor([1, 24 * 5], isVariable=True)
    weights = [net.weights([24, 16]), net.weights([24, 5]), net.bias(12)]

    kept = net.op("SVDF", [x, *weights, state], [1, 12], options=options("SVDF", rank=2))
    narrow = [net.dense(w, 10) for w in wide]
    net.outputs = [net.concat(*narrow, kept, axis=1)]
    model = read(tmp_path, net.file.pack())
    assert is_fixed(model.ops[2], model.main)
    assert better_order(model, "tflm") is None
    assert better_order(model, "litert") is None


@pytest.mark.parametrize("kind", ["CALL_ONCE", "RANDOM_UNIFORM", "READ_VARIABLE", "WHILE"])
def test_ops_with_side_effects_stay_where_they_are(kind: str) -> None:
    op = Op(kind, "", (0,), (1,))
    tensors = (Tensor("a", "float32", (1,)), Tensor("b", "float32", (1,)))
    assert is_fixed(op, Subgraph("", tensors, (op,), (0,), (1,)))
    assert is_fixed(replace(op, kind="Mine", custom=True), Subgraph("", tensors, (), (), ()))
    assert not is_fixed(replace(op, kind="RELU"), Subgraph("", tensors, (), (), ()))


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", [n for n in MODELS if n != "unwritten_output_float32"])
def test_what_the_search_counts_is_what_the_plan_counts(
    tmp_path: Path, name: str, runtime: str
) -> None:
    """Bytes in use at each op of the main subgraph, in the order of the file."""
    model = read(tmp_path, MODELS[name]())
    if any(op.subgraphs for op in model.ops):
        pytest.skip("what called subgraphs hold is not the search's affair")
    planned = plan(model, runtime)
    counted = work(model, planned).bytes_in_use(range(len(model.ops)))
    assert [high for _, high in counted] == list(planned.live)


def test_onnxruntime_orders_ops_by_itself() -> None:
    tensors = tuple(Tensor(f"t{i}", "float32", (1, 8)) for i in range(5))
    ops = tuple(Op("Relu", "", (i,), (i + 1,)) for i in range(4))
    model = Graph("onnx", (Subgraph("", tensors, ops, (0,), (4,)),), size=0)
    assert better_order(model) is None


def wide_graph(count: int) -> Graph:
    """Pairs of an op that makes much and one that makes little, all of them open at once."""
    tensors = [Tensor("x", "float32", (1, 8))]
    ops = []
    for i in range(count // 2):
        tensors += [Tensor("", "float32", (1, 64)), Tensor("", "float32", (1, 2))]
        ops.append(Op("RELU", "", (0,), (2 * i + 1,)))
    ops += [Op("RELU", "", (2 * i + 1,), (2 * i + 2,)) for i in range(count // 2)]
    tensors.append(Tensor("out", "float32", (1, 2)))
    last = Op("CONCATENATION", "", tuple(range(2, count + 1, 2)), (count + 1,))
    return Graph(
        "tflite", (Subgraph("", tuple(tensors), (*ops, last), (0,), (count + 1,)),), size=0
    )


@pytest.mark.parametrize("count", [40, 400, 4_000])
def test_large_graphs_are_searched_within_seconds(count: int) -> None:
    model = wide_graph(count)
    start = time.process_time()
    found = better_order(model, "tflm")
    assert time.process_time() - start < 10
    assert found is not None
    assert found.peak_after < found.peak_before / 8


def test_huge_graphs_are_left_alone() -> None:
    assert better_order(wide_graph(6_000)) is None


@pytest.mark.reference
def test_real_models_are_in_their_best_order(reference_models: Path) -> None:
    for path in sorted(reference_models.rglob("*.tflite")):
        assert better_order(graph.read(path), "tflm") is None
