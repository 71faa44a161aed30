"""Other values for constants, in place in the file: nothing else can change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.graph import Graph, read
from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.passes._checks import all_of, interface, same_dtypes
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.passes._magnitude import prunable
from pytest_edgebudget.passes.base import Job

Change = Callable[[Tensor], Array]
"""The new values of a tensor, of its own dtype and shape."""


def rewrite(job: Job, change: Change) -> None:
    """
    Write ``job.model`` to ``job.out`` with its prunable weights changed.

    Raises BuildError where it has none.
    """
    load("numpy", f"the pass {job.step.name}")
    found = tuple(prunable(read(job.model)))
    if not found:
        raise BuildError(f"{job.step} finds no float or symmetric int8 weights in the model")
    if job.model.suffix == ".tflite":
        _rewrite_tflite(job.model, job.out, found, change)
        return
    onnx = load("onnx", f"the pass {job.step.name}")
    model = onnx.load(str(job.model))
    _rewrite_onnx(model, found, change)
    onnx.save(model, str(job.out))


def in_place(before: Graph, after: Graph) -> str:
    """No dtype, no end of the model and, in `.tflite`, no byte more may have changed."""
    grown = after.format == "tflite" and after.size != before.size
    return all_of(
        "the file changed its size" if grown else "",
        same_dtypes(before, after),
        interface(before, after),
    )


def _rewrite_tflite(model: Path, out: Path, found: Sequence[Tensor], change: Change) -> None:
    import numpy as np

    content = bytearray(model.read_bytes())
    for tensor in found:
        assert tensor.data is not None
        # A constant is a view of the file's bytes: their distance is its place there.
        start = _address(tensor.data) - _address(tensor.data.obj)
        data = change(tensor).tobytes()
        assert np.frombuffer(tensor.data, np.uint8).tobytes() == content[start : start + len(data)]
        content[start : start + len(data)] = data
    out.write_bytes(content)


def _address(data: Any) -> int:
    import numpy as np

    return int(np.frombuffer(data, np.uint8).ctypes.data)


def _rewrite_onnx(model: Any, found: Sequence[Tensor], change: Change) -> None:
    """Replace initializers of a ``ModelProto``."""
    from onnx import numpy_helper

    initializers = {item.name: item for item in model.graph.initializer}
    for tensor in found:
        if tensor.name in initializers:
            values = change(tensor)
            initializers[tensor.name].CopyFrom(numpy_helper.from_array(values, tensor.name))
