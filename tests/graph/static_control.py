"""Static graphs with state and control flow: recurrent layers, IF, WHILE, CALL_ONCE."""

from __future__ import annotations

import struct

import tflite_models as fb
from static_builder import File, Net, options
from static_models import MODELS, model
from tflite_models import schema


@model("FLOAT32", "INT8")
def svdf(net: Net) -> int:
    x = net.dense(net.input([1, 20]), 16)
    kind = "FLOAT32" if net.dtype == "FLOAT32" else "INT16"
    relu = schema.ActivationFunctionType.RELU
    for units in (12, 6):
        filters, memory = 2 * units, 5
        inputs = [
            x,
            net.weights([filters, net.shape(x)[1]]),
            net.weights([filters, memory], kind),
            net.bias(units),
            net.tensor([1, filters * memory], kind, isVariable=True),
        ]
        x = net.op(
            "SVDF",
            inputs,
            [1, units],
            options=options("SVDF", rank=2, fusedActivationFunction=relu),
        )
    return net.relu(x)


@model("FLOAT32", "INT8")
def lstm(net: Net) -> int:
    x, units, steps, size = net.input([1, 7, 5]), 6, 7, 5
    for _ in range(2):
        x, size = _lstm(net, x, units, steps, size), units
    return net.dense(net.reshape(x, [1, steps * units]), 3)


def _lstm(net: Net, x: int, units: int, steps: int, size: int) -> int:
    cell = "FLOAT32" if net.dtype == "FLOAT32" else "INT16"
    scale = {} if cell == "FLOAT32" else {"quantization": fb.quantization([2.0**-11], [0])}
    inputs = [x]
    inputs += [net.weights([units, size]) for _ in range(4)]
    inputs += [net.weights([units, units]) for _ in range(4)]
    inputs += [-1, -1, -1]
    inputs += [net.bias(units) for _ in range(4)]
    inputs += [-1, -1]
    inputs += [net.tensor([1, units], isVariable=True)]
    inputs += [net.tensor([1, units], cell, isVariable=True, **scale)]
    inputs += [-1] * 4
    more = {}
    if cell == "INT16":
        more["intermediates"] = [net.tensor([0], "INT16") for _ in range(4)] + [net.tensor([0])]
    tanh = schema.ActivationFunctionType.TANH
    return net.op(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [1, steps, units],
        options=options("UnidirectionalSequenceLSTM", fusedActivationFunction=tanh), **more,
    )  # fmt: skip


def branches() -> bytes:
    """A condition, and two branches of different appetite; one is taken from two places."""
    file = File(3)
    main = file.graph("FLOAT32")
    flag, x = main.input([1], "BOOL"), main.input([1, 40])
    y = main.relu(x)
    choice = options("If", thenSubgraphIndex=1, elseSubgraphIndex=2)
    z = main.op("IF", [flag, y], [1, 60], options=choice)
    w = main.op("IF", [flag, main.relu(y)], [1, 60],
                options=options("If", thenSubgraphIndex=1, elseSubgraphIndex=1))  # fmt: skip
    main.outputs = [main.add(z, w), main.relu(x)]
    then = file.graph("FLOAT32", "then")
    a = then.input([1, 40])
    then.outputs = [then.dense(then.relu(then.dense(a, 200)), 60)]
    other = file.graph("FLOAT32", "else")
    b = other.input([1, 40])
    other.outputs = [other.add(other.dense(b, 60), other.dense(b, 60))]
    return file.pack()


def loop() -> bytes:
    """Counts to five, and doubles a vector each time."""
    file = File(4)
    main = file.graph("FLOAT32")
    count, x = main.input([1], "INT32"), main.input([1, 30])
    y = main.dense(x, 50)
    first = main.op("WHILE", [count, y], [1], dtype="INT32",
                    options=options("While", condSubgraphIndex=1, bodySubgraphIndex=2))  # fmt: skip
    result = main.tensor([1, 50])
    main.ops[-1].outputs = [first, result]
    main.outputs = [main.add(result, main.dense(x, 50)), first]
    _condition(file)
    body = file.graph("FLOAT32", "body")
    n, v = body.input([1], "INT32"), body.input([1, 50])
    w = body.dense(body.relu(body.dense(v, 120)), 50)
    one = body.numbers([1])
    body.outputs = [body.op("ADD", [n, one], [1], dtype="INT32", options=options("Add")),
                    body.add(w, v)]  # fmt: skip
    return file.pack()


def _condition(file: File) -> None:
    cond = file.graph("FLOAT32", "cond")
    n, v = cond.input([1], "INT32"), cond.input([1, 50])
    assert v
    cond.outputs = [
        cond.op("LESS", [n, cond.numbers([5])], [1], dtype="BOOL", options=options("Less"))
    ]


def nested() -> bytes:
    """A branch within a loop, and a subgraph that nobody calls."""
    file = File(5)
    main = file.graph("FLOAT32")
    count, x = main.input([1], "INT32"), main.input([1, 50])
    first = main.op("WHILE", [count, x], [1], dtype="INT32",
                    options=options("While", condSubgraphIndex=1, bodySubgraphIndex=2))  # fmt: skip
    result = main.tensor([1, 50])
    main.ops[-1].outputs = [first, result]
    main.outputs = [main.relu(result)]
    _condition(file)
    body = file.graph("FLOAT32", "body")
    n, v = body.input([1], "INT32"), body.input([1, 50])
    odd = body.op("LESS", [n, body.numbers([2])], [1], dtype="BOOL", options=options("Less"))
    w = body.op("IF", [odd, v], [1, 50],
                options=options("If", thenSubgraphIndex=3, elseSubgraphIndex=4))  # fmt: skip
    one = body.numbers([1])
    body.outputs = [body.op("ADD", [n, one], [1], dtype="INT32", options=options("Add")),
                    body.add(w, v)]  # fmt: skip
    then = file.graph("FLOAT32", "then")
    a = then.input([1, 50])
    then.outputs = [then.dense(then.dense(a, 90), 50)]
    other = file.graph("FLOAT32", "else")
    other.outputs = [other.input([1, 50])]
    idle = file.graph("FLOAT32", "idle")
    idle.outputs = [idle.relu(idle.relu(idle.input([1, 150])))]
    return file.pack()


def variables() -> bytes:
    """A counter: initialised once, read, added to, and written back."""
    file = File(6)
    main = file.graph("FLOAT32")
    x = main.input([1, 24])
    main.op("CALL_ONCE", [], options=options("CallOnce", initSubgraphIndex=1))
    handle = _handle(main)
    old = main.op("READ_VARIABLE", [handle], [1, 24], options=options("ReadVariable"))
    new = main.add(main.relu(x), old)
    main.op("ASSIGN_VARIABLE", [handle, new], options=options("AssignVariable"))
    main.outputs = [main.dense(new, 12)]
    init = file.graph("FLOAT32", "init")
    zeros = init.weights([1, 24])
    init.op("ASSIGN_VARIABLE", [_handle(init), zeros], options=options("AssignVariable"))
    return file.pack()


def _handle(net: Net) -> int:
    named = options("VarHandle", sharedName="counter", container="")
    return net.op("VAR_HANDLE", [], [], dtype="RESOURCE", options=named)


def offline_branches() -> bytes:
    """A branch, some of whose tensors have fixed places."""
    file = File()
    main = file.graph("FLOAT32")
    flag, x = main.input([1], "BOOL"), main.input([1, 16])
    choice = options("If", thenSubgraphIndex=1, elseSubgraphIndex=1)
    main.outputs = [main.relu(main.op("IF", [flag, x], [1, 16], options=choice))]
    then = file.graph("FLOAT32", "then")
    then.outputs = [then.relu(then.relu(then.input([1, 16])))]
    offsets = (-1, 512, -1, -1, 2000, -1, 4000)
    file.note("OfflineMemoryAllocation", struct.pack("<10i", 1, 0, 7, *offsets))
    return file.pack()


MODELS["offline_branches"] = offline_branches
MODELS.update(branches=branches, loop=loop, nested=nested, variables=variables)
