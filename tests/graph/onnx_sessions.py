"""What onnxruntime holds while each node runs, from the profile of a session."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
np = pytest.importorskip("numpy")

SHAPE = [1, 8, 6, 6]


@dataclass(frozen=True)
class Profile:
    """Nodes in the order in which they ran, and the bytes that were in use while each did."""

    nodes: list[str]
    in_use: list[int]


def profile(path: Path, folder: Path, *, optimized: bool = False) -> Profile:
    """
    The second run of a session with one thread.

    Memory patterns are off: with them, all activations are one block. The bytes
    are those asked of the arena, less what was there before the first node.
    """
    options = ort.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(folder / "profile")
    options.enable_mem_pattern, options.intra_op_num_threads = False, 1
    options.log_severity_level = 3
    levels = ort.GraphOptimizationLevel
    options.graph_optimization_level = (
        levels.ORT_ENABLE_ALL if optimized else levels.ORT_DISABLE_ALL
    )
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = {item.name: _zeros(item) for item in session.get_inputs()}
    for _ in range(2):
        session.run(None, inputs)
    return _second(json.loads(Path(session.end_profiling()).read_text()))


def _zeros(item: Any) -> Any:
    shape = [n if isinstance(n, int) else 1 for n in item.shape]
    kind = item.type.removeprefix("tensor(").removesuffix(")")
    return np.zeros(shape, {"float": "float32"}.get(kind, kind))


def _second(events: list[Any]) -> Profile:
    nodes = [event for event in events if event["name"].endswith("_kernel_time")]
    nodes = nodes[len(nodes) // 2 :]
    facts = [event["args"] for event in nodes]
    in_use = [int(fact["mem_bytes_requested_in_use"]) for fact in facts]
    before = in_use[0] - int(facts[0]["mem_requested_in_use_delta"])
    names = [event["name"].removesuffix("_kernel_time") for event in nodes]
    return Profile(names, [size - before for size in in_use])


class Draft:
    """A float graph in the making; each method adds a node and returns its output."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.shapes: dict[str, list[int]] = {}
        self.constants: list[Any] = []
        self.inputs: list[str] = []

    def input(self, shape: list[int]) -> str:
        self.inputs.append(f"x{len(self.inputs)}")
        self.shapes[self.inputs[-1]] = shape
        return self.inputs[-1]

    def constant(self, values: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], *shapes: list[int], **more: Any) -> str:
        names = [f"t{len(self.shapes) + i}" for i in range(len(shapes))]
        self.shapes.update(zip(names, shapes, strict=True))
        name = f"n{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, inputs, names, name=name, **more))
        return names[0]

    def same(self, kind: str, x: str) -> str:
        return self.node(kind, [x], self.shapes[x])

    def conv(self, x: str, channels: int, kernel: int = 3) -> str:
        n, depth, height, width = self.shapes[x]
        weights = self.constant(np.ones((channels, depth, kernel, kernel), np.float32))
        pads = [kernel // 2] * 4
        return self.node("Conv", [x, weights], [n, channels, height, width], pads=pads)

    def reshape(self, x: str, shape: list[int]) -> str:
        return self.node("Reshape", [x, self.constant(np.array(shape))], shape)

    def write(self, path: Path, outputs: list[str]) -> None:
        """The model, with the shapes of all its tensors."""
        rows = {
            name: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
            for name, shape in self.shapes.items()
        }
        inner = [row for name, row in rows.items() if name not in {*self.inputs, *outputs}]
        main = onnx.helper.make_graph(
            self.nodes, "main", [rows[n] for n in self.inputs], [rows[n] for n in outputs],
            self.constants, value_info=inner,
        )  # fmt: skip
        opset = onnx.helper.make_opsetid("", 18)
        path.write_bytes(
            onnx.helper.make_model(main, opset_imports=[opset], ir_version=9).SerializeToString()
        )


def random_model(path: Path, seed: int) -> None:
    """Ops that share, ops that do not, branches, tensors of few sizes, unread outputs."""
    choose = random.Random(seed)
    draft = Draft()
    made = [draft.input(SHAPE) for _ in range(choose.choice([1, 2]))]
    for _ in range(choose.choice([5, 15, 40])):
        x = choose.choice(made[-choose.choice([1, 4, 12]) :])
        made.append(_random_node(draft, x, choose, made))
    draft.write(path, choose.sample(made[-4:], 2))


def _random_node(draft: Draft, x: str, choose: random.Random, made: list[str]) -> str:
    shape = draft.shapes[x]
    kind = choose.choice(["Relu", "Sigmoid", "Exp", "Add", "Reshape", "Conv", "Concat", "Split"])
    if kind == "Add":
        return draft.node(
            kind, [x, choose.choice([n for n in made if draft.shapes[n] == shape])], shape
        )
    if kind == "Reshape":
        return draft.reshape(x, shape[:1] + shape[1:][::-1])
    if kind == "Conv" and len(shape) == 4:
        return draft.conv(x, choose.choice([8, 8, 4]), choose.choice([1, 3]))
    if kind == "Concat" and shape[1] <= 16:
        return draft.node(kind, [x, x], [1, 2 * shape[1], *shape[2:]], axis=1)
    if kind == "Split" and shape[1] % 2 == 0:
        half = [1, shape[1] // 2, *shape[2:]]
        return draft.node(kind, [x], half, half, axis=1, num_outputs=2)
    return draft.same(kind if kind in ("Relu", "Sigmoid") else "Exp", x)
