"""What the generator refuses, and that no file makes it write C that leaves its memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pytest_edgebudget import graph
from pytest_edgebudget.devices.base import CannotTell
from pytest_edgebudget.devices.cortex_m.generator import Program, generate
from pytest_edgebudget.errors import EdgeBudgetError, ModelError
from tests.devices.cortex_m.here import Here, Job, random_samples
from tests.devices.cortex_m.one_op import MAKERS, OneOp, network, options

DAMAGED = 400
WORDS = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\x80\x7f", b"\0\0\xc0\x7f"]


def generated(model: bytes, folder: Path) -> Program:
    path = folder / "model.tflite"
    path.write_bytes(model)
    return generate(graph.read(path))


def damaged(number: int) -> bytes:
    """A small model with a few bytes that are wrong."""
    draw = random.Random(number)
    model = bytearray(draw.choice([network, *MAKERS.values()])(draw.randrange(5)))
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(model) // 4) * 4
        model[at : at + 4] = draw.choice([*WORDS, draw.randrange(1 << 17).to_bytes(4, "little")])
    return bytes(model)


def test_damaged_models_are_refused_or_become_programs_that_stay_within_their_memory(
    tmp_path: Path,
) -> None:
    """Under gcc's checks of addresses and undefined behaviour."""
    here, jobs, refused = Here(tmp_path), [], 0
    for number in range(DAMAGED):
        try:
            program = generated(damaged(number), tmp_path)
        except EdgeBudgetError:
            refused += 1
            continue
        small = program.arena < 1 << 20 and len(program.inputs) < 4 and len(program.outputs) == 1
        if small:
            jobs.append(Job(program, random_samples(program, 1, number)))
    answers = here.run(jobs)

    assert refused > DAMAGED / 4
    assert len(jobs) > DAMAGED / 20
    assert [len(answer[0]) for answer in answers] == [job.program.outputs[0].size for job in jobs]


def one(
    kind: str, shape: list[int], output: list[int], chosen: object = None, **more: float
) -> bytes:
    """An operator on one tensor."""
    net = OneOp(0)
    x = net.input(shape, more.get("scale", 0.1), 3)
    out = net.tensor(output, more.get("after", 0.1), int(more.get("zero", 3)))
    return net.finish(kind, [x], out, chosen)


HALVES = options("Pool2D", padding=1, strideH=2, strideW=2, filterHeight=2, filterWidth=2)
REFUSED = {
    "more windows than fit": (
        one("MAX_POOL_2D", [1, 8, 8, 2], [1, 5, 5, 2], HALVES),
        "MAX_POOL_2D: an output of shape (1, 5, 5, 2), where 4 windows fit in 8",
    ),
    "channels that change": (
        one("MAX_POOL_2D", [1, 8, 8, 2], [1, 4, 4, 3], HALVES),
        "MAX_POOL_2D: 2 channels that become 3",
    ),
    "a pool that scales": (
        one("AVERAGE_POOL_2D", [1, 8, 8, 2], [1, 4, 4, 2], HALVES, after=0.2),
        "AVERAGE_POOL_2D: an output of another scale than the input",
    ),
    "a softmax in other steps": (
        one("SOFTMAX", [1, 4], [1, 4], options("Softmax", beta=1.0)),
        "SOFTMAX: an output of scale",
    ),
    "more numbers than there are": (
        one("RESHAPE", [1, 8], [1, 9]),
        "RESHAPE: shapes (1, 8) and (1, 9)",
    ),
    "no such layer": (
        one("LEAKY_RELU", [1, 8], [1, 8], options("LeakyRelu", alpha=0.2)),
        "LEAKY_RELU: the generator has no such layer",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_compiled_is_named_with_the_reason(name: str, tmp_path: Path) -> None:
    model, said = REFUSED[name]
    with pytest.raises(CannotTell) as caught:
        generated(model, tmp_path)
    assert caught.value.message.startswith(f"the model is not compiled to C: {said}")
    assert caught.value.hint == 'run = "tflm" runs it in TensorFlow Lite Micro itself'


def test_a_model_of_floats_is_refused_as_a_model(tmp_path: Path) -> None:
    net = OneOp(0)
    x = net.input([1, 8], type_="FLOAT32")
    with pytest.raises(ModelError, match=r"it computes with floats \(RELU\), and only"):
        generated(net.finish("RELU", [x], net.tensor([1, 8], type_="FLOAT32")), tmp_path)


def test_names_in_a_model_do_not_reach_the_compiler(tmp_path: Path) -> None:
    """They are a stranger's text."""
    model = network().replace(b"t3", b'"*')
    program = generated(model, tmp_path)
    assert any('"*' in part.name for part in program.layers)
    assert '"*' not in program.source + program.assembly


def test_operators_that_only_work_out_a_shape_are_left_out(tmp_path: Path) -> None:
    """Converters write a Flatten as SHAPE, STRIDED_SLICE, PACK and RESHAPE."""
    net = OneOp(0)
    x = net.input([1, 2, 3], 0.1, 3)
    sizes = net.op("SHAPE", [x], net.tensor([3], type_="INT32"), options("Shape", outType=2))
    out = net.op("RESHAPE", [x, sizes], net.tensor([1, 6], 0.1, 3), options("Reshape"))
    assert [part.kind for part in generated(net.pack(out), tmp_path).layers] == ["RESHAPE"]
