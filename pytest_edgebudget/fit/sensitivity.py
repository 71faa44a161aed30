"""How much each layer minds 4-bit weights: one after the other, on calibration samples."""

from __future__ import annotations

import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

from pytest_edgebudget.facts import Array

SAMPLES = 64


def measure(payload: dict[str, Any]) -> list[float]:
    """
    The harm of 4-bit weights in each layer of ``payload["layers"]``, by its place.

    Harm is the mean squared change of the outputs, as a share of their variance over
    the samples. Runs in a process of its own, in LiteRT, on the float model whose
    weights of that one layer are rounded to 15 steps a channel.
    """
    import numpy as np

    path = Path(payload["model"])
    content = path.read_bytes()
    samples = _samples(content, payload)
    before = _answers(content, samples)
    scale = float(np.var(before, axis=0).sum()) or 1.0
    harms = []
    for place in payload["layers"]:
        after = _answers(_rounded(path, content, int(place)), samples)
        harms.append(float(((after - before) ** 2).sum(axis=1).mean()) / scale)
    return harms


def _samples(content: bytes, payload: dict[str, Any]) -> list[dict[str, Array]]:
    """Calibration samples, each of the shape and dtype of its input."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    from pytest_edgebudget.passes._calibration import ONLY, Input, samples

    reader = Interpreter(model_content=content, num_threads=1)
    inputs = [
        Input(tuple(_names(each["name"])), tuple(int(n) for n in each["shape"]), each["dtype"])
        for each in reader.get_input_details()
    ]
    with np.load(payload["data"], allow_pickle=False) as file:
        arrays = {
            name.partition("/")[2] or ONLY: file[name][:SAMPLES] for name in payload["arrays"]
        }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calibration.npz"
        np.savez(path, **arrays)
        return list(islice(samples(path, inputs), SAMPLES))


def _names(name: str) -> list[str]:
    """A tensor's name, and the input's that a converter made it of."""
    short = name.removeprefix("serving_default_").partition(":")[0]
    return [name, short]


def _answers(content: bytes, samples: list[dict[str, Array]]) -> Array:
    """All outputs of each sample, as one row."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    reader = Interpreter(model_content=content, num_threads=1)
    reader.allocate_tensors()
    places = {each["name"]: each["index"] for each in reader.get_input_details()}
    rows = []
    for feed in samples:
        reader.reset_all_variables()
        for name, value in feed.items():
            reader.set_tensor(places[name], value)
        reader.invoke()
        outputs = [reader.get_tensor(each["index"]) for each in reader.get_output_details()]
        rows.append(np.concatenate([np.asarray(each, np.float64).ravel() for each in outputs]))
    return np.stack(rows)


def _rounded(path: Path, content: bytes, place: int) -> bytes:
    """The model with the weights of one layer rounded to 4 bits a channel, in place."""
    import numpy as np

    from pytest_edgebudget.graph import read
    from pytest_edgebudget.passes.mixed import layers

    tensor = layers(read(path))[place].tensor
    assert tensor.data is not None
    values = np.frombuffer(tensor.data, np.float32).reshape(tensor.shape or ())
    axes = tuple(range(1, values.ndim))  # convolutions and dense layers: outputs first
    largest = np.abs(values).max(axis=axes, keepdims=True)
    step = np.where(largest > 0, largest / 7, 1)
    rounded = (np.clip(np.rint(values / step), -7, 7) * step).astype(np.float32)
    start = _address(tensor.data) - _address(tensor.data.obj)
    changed = bytearray(content)
    changed[start : start + rounded.nbytes] = rounded.tobytes()
    return bytes(changed)


def _address(data: Any) -> int:
    import numpy as np

    return int(np.frombuffer(data, np.uint8).ctypes.data)
