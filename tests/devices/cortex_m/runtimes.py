"""What generated programs are compared with: the runtimes' own reference kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

# Here, and not where it is used: pytester forgets what a test imports, and this
# library cannot be imported twice.
runtime = pytest.importorskip(
    "tflite_micro.python.tflite_micro.runtime", reason="tflite-micro is not installed"
)

Sample = list[np.ndarray[Any, Any]]


def micro(model: bytes, samples: Sequence[Sample]) -> list[bytes]:
    """TensorFlow Lite Micro, built for this machine."""
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 26)
    answers = []
    for sample in samples:
        for index, value in enumerate(sample):
            interpreter.set_input(value, index)
        interpreter.invoke()
        answers.append(interpreter.get_output(0).tobytes())
    return answers


def reference(model: bytes, samples: Sequence[Sample]) -> list[bytes] | None:
    """LiteRT with its reference kernels; None where it refuses the model."""
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="needs the extra litert")
    interpreter = litert.Interpreter(
        model_content=model, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF
    )
    try:
        interpreter.allocate_tensors()
    except RuntimeError:
        return None
    answers = []
    for sample in samples:
        for details, value in zip(interpreter.get_input_details(), sample, strict=True):
            interpreter.set_tensor(details["index"], value)
        interpreter.invoke()
        answers.append(
            interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).tobytes()
        )
    return answers
