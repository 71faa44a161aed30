"""Models in TensorFlow Lite Micro: its answers, its state, its arena, and what it refuses."""

from __future__ import annotations

import importlib
import os
import signal
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.worker.svdf import sum_of_last_two
from tests.worker.talk import FOLDER, Talk

pytest.importorskip(
    "tflite_micro", reason="tflite-micro is not installed: pip install 'pytest-edgebudget[mcu]'"
)
pytest.importorskip("ai_edge_litert", reason="its schema writes the models of these tests")

# What print_allocations of tflite-micro 0.dev20261023182759 said on x86-64, and the
# smallest arena that its interpreter accepted, bisected in steps of one byte: bytes of
# head, tail and all. The arena of ad01_int8 is larger than its parts while it is planned.
ARENAS = {
    "ad_autoencoder/models/ad01_int8.tflite": (768, 3216, 4637),
    "kws_dscnn/models/kws_int8.tflite": (16000, 8272, 24272),
    "ic_resnet8/models/resnet8_int8.tflite": (49152, 6832, 55984),
    "ic_resnet8/models/resnet8_large_int8.tflite": (122880, 10864, 133744),
    "ic_resnet8/models/resnet8_float32.tflite": (196608, 6768, 203376),
}
STEP = 16

# The share of random inputs on which all outputs are those of LiteRT's reference kernels
# within so many steps. Both round, at places of their own: now and then that adds up.
DIFFERENCES = {
    "kws_dscnn/models/kws_int8.tflite": (0, 0.95),
    "ic_resnet8/models/resnet8_int8.tflite": (0, 0.95),
    "ic_resnet8/models/resnet8_large_int8.tflite": (0, 0.95),
    "ad_autoencoder/models/ad01_int8.tflite": (3, 1.0),
}


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The graphs with state and control flow."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "graph"))
    return importlib.import_module("static_control")


def answers(talk: Talk, samples: np.ndarray, folder: Path, state: str) -> list[list[float]]:
    np.savez(folder / "data.npz", x_test=samples)
    (found,) = talk.run(folder / "data.npz", folder / "out.npz", state).values()
    return [list(map(float, row.ravel())) for row in found]


@pytest.mark.reference
@pytest.mark.parametrize("name", ARENAS)
def test_the_smallest_arena_is_the_one_that_the_runtimes_own_interpreter_accepts(
    reference_models: Path, name: str
) -> None:
    head, tail, least = ARENAS[name]
    with Talk() as talk:
        talk.ok("hello", runtime="tflm")
        found = talk.ok("arena", path=str(reference_models / name))
    assert (found["head"], found["tail"]) == (head, tail)
    assert least <= found["smallest"] < least + STEP


@pytest.mark.parametrize("name", ["svdf_int8", "lstm_float32", "variables"])
def test_an_arena_in_which_the_runtime_would_crash_is_too_small(
    graphs: ModuleType, tmp_path: Path, name: str
) -> None:
    """A little below what these need, the interpreter does not fail but crashes."""
    content = graphs.variables() if name == "variables" else graphs.MODELS[name]()
    (tmp_path / "m.tflite").write_bytes(content)
    with Talk() as talk:
        talk.ok("hello", runtime="tflm")
        found = talk.ok("arena", path=str(tmp_path / "m.tflite"))["smallest"]
    assert runs_in(tmp_path / "m.tflite", found)
    assert not runs_in(tmp_path / "m.tflite", found - STEP)


def runs_in(model: Path, arena: int) -> bool:
    """Whether the runtime's own interpreter comes up and runs, in a process of its own."""
    child = os.fork()
    if child == 0:
        try:
            from tflite_micro.python.tflite_micro import runtime

            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            runtime.Interpreter.from_file(str(model), arena_size=arena).invoke()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.reference
@pytest.mark.parametrize("name", DIFFERENCES)
def test_outputs_are_those_of_the_reference_kernels_of_litert(
    reference_models: Path, tmp_path: Path, name: str
) -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    model = str(reference_models / name)
    other = Interpreter(
        model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
    )
    other.allocate_tensors()
    (source,), (target,) = other.get_input_details(), other.get_output_details()
    samples = np.random.default_rng(7).integers(-128, 128, (40, *source["shape"][1:]), np.int8)
    theirs = []
    for sample in samples:
        other.set_tensor(source["index"], sample[None])
        other.invoke()
        theirs.append(other.get_tensor(target["index"])[0].astype(int))
    with Talk() as talk:
        talk.open("tflm", Path(model))
        mine = np.array(answers(talk, samples, tmp_path, "reset"))
    scale, zero = target["quantization"]
    steps = np.abs(np.rint(mine / scale) + zero - np.array(theirs)).max(axis=1)
    within, share = DIFFERENCES[name]
    assert np.mean(steps <= within) >= share


def test_variable_tensors_are_reset_or_carried(tmp_path: Path) -> None:
    """SVDF with one filter and a memory of two adds up its last two inputs."""
    (tmp_path / "m.tflite").write_bytes(sum_of_last_two(bias=True))
    samples = np.array([[1], [10], [100]], np.float32)
    with Talk() as talk:
        talk.open("tflm", tmp_path / "m.tflite")
        reset = answers(talk, samples, tmp_path, "reset")
        carried = answers(talk, samples, tmp_path, "carried")
        again = answers(talk, samples, tmp_path, "carried")
    assert reset == [[1], [10], [100]]
    assert carried == again == [[1], [11], [110]]


@pytest.mark.parametrize("name", ["variables", "svdf_int8", "lstm_float32", "lstm_int8"])
def test_a_reset_is_as_good_as_a_new_interpreter(
    graphs: ModuleType, tmp_path: Path, name: str
) -> None:
    """Resource variables, too, which the runtime's own reset leaves as they are."""
    from tflite_micro.python.tflite_micro import runtime

    content = graphs.variables() if name == "variables" else graphs.MODELS[name]()
    (tmp_path / "m.tflite").write_bytes(content)
    fresh = []
    details = runtime.Interpreter.from_bytes(content, arena_size=1 << 20).get_input_details(0)
    random = np.random.default_rng(1).uniform(-9, 9, (3, *details["shape"][1:]))
    samples = random.astype(details["dtype"])
    for sample in samples:
        each = runtime.Interpreter.from_bytes(content, arena_size=1 << 20)
        each.set_input(sample[None], 0)
        each.invoke()
        fresh.append(each.get_output(0)[0])
    with Talk() as talk:
        port = talk.open("tflm", tmp_path / "m.tflite")["outputs"][0]
        reset = np.array(answers(talk, samples, tmp_path, "reset"))
        carried = np.array(answers(talk, samples, tmp_path, "carried"))
    real = (np.array(fresh, np.float32) - port["zero_point"]) * (port["scale"] or 1)
    np.testing.assert_array_equal(reset, real.reshape(reset.shape))
    assert (carried != reset).any()


def test_several_inputs_and_outputs_go_by_the_signatures_names(
    models: Path, tmp_path: Path
) -> None:
    left = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    right = np.array([[10, 20], [30, 40]], np.float32)
    np.savez(tmp_path / "data.npz", **{"x_test/right": right, "x_test/left": left})
    with Talk() as talk:
        talk.open("tflm", models / "pair.tflite")
        found = talk.run(tmp_path / "data.npz", tmp_path / "out.npz")
    assert {name: array.tolist() for name, array in found.items()} == {
        "sum": [36, 85],
        "scaled": [[30, 60], [90, 120]],
        "first": [[-9], [-26]],
    }


def test_quantized_inputs_and_outputs_give_what_the_runtimes_own_quantize_gives(
    models: Path, tmp_path: Path
) -> None:
    found = []
    for name in ("float_io", "int8_io"):
        with Talk() as talk:
            talk.open("tflm", models / f"{name}.tflite")
            found += talk.run(models / "dense.npz", tmp_path / f"{name}.npz").values()
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)


@pytest.mark.reference
def test_a_hybrid_model_is_refused_in_a_sentence(reference_models: Path) -> None:
    model = reference_models / "kws_dscnn" / "models" / "kws_dynrange.tflite"
    with Talk() as talk:
        talk.ok("hello", runtime="tflm")
        for op, more in (("load", {"threads": 1}), ("arena", {})):
            error = talk.ask(op, path=str(model), **more)["error"]
            assert error["kind"] == "model"
            assert error["message"].endswith(
                "refuses the model: Hybrid models are not supported on TFLite Micro; "
                "Node CONV_2D (number 0) failed to prepare with status 1"
            )
            assert error["hint"].startswith("int8 makes all of it integers")


def test_an_operator_that_it_lacks_is_named(graphs: ModuleType, tmp_path: Path) -> None:
    import static_builder

    file = static_builder.File()
    main = file.graph("FLOAT32")
    main.outputs = [main.same("GELU", main.input([1, 4]))]
    (tmp_path / "m.tflite").write_bytes(file.pack())
    with Talk() as talk:
        talk.ok("hello", runtime="tflm")
        error = talk.ask("load", path=str(tmp_path / "m.tflite"), threads=1)["error"]
    assert "Didn't find op for builtin opcode 'GELU'" in error["message"]
    assert error["hint"] == "the runtime has no such operator; another layer may do its work"


def test_a_broken_file_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes((FOLDER / "warm.tflite").read_bytes()[:100])
    with Talk() as talk:
        talk.ok("hello", runtime="tflm")
        error = talk.ask("load", path=str(tmp_path / "m.tflite"), threads=1)["error"]
    assert error["kind"] == "model"
    assert "refuses the model" in error["message"]


def test_another_runtime_has_no_arena_to_be_tried() -> None:
    with Talk() as talk:
        talk.ok("hello", runtime="litert")
        error = talk.ask("arena", path=str(FOLDER / "warm.tflite"))["error"]
    assert (error["kind"], error["message"]) == (
        "platform", "litert plans no arena of its own that could be tried"
    )  # fmt: skip


def endless(graphs: ModuleType) -> bytes:
    """A model that never answers: it counts down from nought to five."""
    import static_builder

    file = static_builder.File(4)
    main = file.graph("FLOAT32")
    count, x = main.input([1], "INT32"), main.input([1, 50])
    first = main.op(
        "WHILE", [count, x], [1], dtype="INT32",
        options=static_builder.options("While", condSubgraphIndex=1, bodySubgraphIndex=2),
    )  # fmt: skip
    result = main.tensor([1, 50])
    main.ops[-1].outputs = [first, result]
    main.outputs = [result, first]
    graphs._condition(file)
    body = file.graph("FLOAT32", "body")
    n, v = body.input([1], "INT32"), body.input([1, 50])
    body.outputs = [n, body.relu(v)]
    return file.pack()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_a_worker_that_is_killed_in_mid_try_leaves_no_process(
    graphs: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "m.tflite").write_bytes(endless(graphs))
    with Talk() as talk:
        talk.ok("hello", runtime="tflm")
        assert talk.process.stdin is not None
        request = f'{{"op": "arena", "limit": 60, "path": "{tmp_path / "m.tflite"}"}}\n'
        talk.process.stdin.write(request)
        talk.process.stdin.flush()
        tries = wait_for(lambda: children(talk.process.pid))
        os.kill(talk.process.pid, signal.SIGKILL)
        talk.process.wait(20)
        gone = wait_for(lambda: not any(alive(pid) for pid in tries))
    assert tries
    assert gone


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in text.split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition):  # type: ignore[no-untyped-def]
    """What the condition says as soon as it says something, at most ten seconds."""
    end = time.monotonic() + 10
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return found
