"""Two models that must answer alike, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.passes import _onnx
from pytest_edgebudget.passes._calibration import Input, samples
from pytest_edgebudget.passes.base import Job

NOISE, REAL = 4, 8
"""So many samples of noise and of the calibration data are compared."""


def check_same(job: Job) -> None:
    """
    Run ``job.model`` and ``job.out`` on the same inputs.

    Raises:
        BuildError: an output differs in a bit.
    """
    opened = _open_onnx if job.out.suffix == ".onnx" else _open_tflite
    inputs, before = opened(job.model)
    _, after = opened(job.out)
    for feed in _feeds(job, inputs):
        old, new = before(feed), after(feed)
        for name, value in old.items():
            if name not in new or value.tobytes() != new[name].tobytes():
                raise BuildError(
                    f"{job.step}: the output {name} is not the same to the bit",
                    "leave the pass out for this model",
                )


def _feeds(job: Job, inputs: list[Input]) -> Iterator[dict[str, Array]]:
    import numpy as np

    random = np.random.default_rng(0)
    for _ in range(NOISE):
        yield {each.names[0]: _noise(random, each) for each in inputs}
    if job.calibration is not None:
        yield from islice(samples(job.calibration, inputs), REAL)


def _noise(random: Any, item: Input) -> Array:
    import numpy as np

    shape = tuple(1 if size < 0 else size for size in item.shape)
    kind = np.dtype(item.dtype)
    if kind.kind == "f":
        drawn: Array = random.standard_normal(shape).astype(kind)
        return drawn
    if kind.kind in "iu" and kind.itemsize == 1:
        limits = np.iinfo(kind)
        return np.asarray(random.integers(limits.min, limits.max + 1, shape), kind)
    return np.asarray(random.integers(0, 2, shape), kind)


def _open_tflite(path: Path) -> tuple[list[Input], Any]:
    from ai_edge_litert.interpreter import Interpreter

    reader = Interpreter(model_path=str(path), num_threads=1)
    reader.allocate_tensors()
    details = reader.get_input_details()
    inputs = [
        Input((str(at), each["name"]), tuple(int(n) for n in each["shape"]), each["dtype"])
        for at, each in enumerate(details)
    ]

    def run(feed: dict[str, Array]) -> dict[str, Array]:
        reader.reset_all_variables()
        for at, detail in enumerate(details):
            reader.set_tensor(detail["index"], feed[str(at)])
        reader.invoke()
        outputs = reader.get_output_details()
        return {str(at): reader.get_tensor(each["index"]) for at, each in enumerate(outputs)}

    return inputs, run


def _open_onnx(path: Path) -> tuple[list[Input], Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]

    def run(feed: dict[str, Array]) -> dict[str, Array]:
        return dict(zip(names, session.run(names, feed), strict=True))

    return _onnx.inputs_of(path), run
