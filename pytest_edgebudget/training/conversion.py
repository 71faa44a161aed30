"""From a model with trained ranges to a full-int8 `.tflite`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.training import files
from pytest_edgebudget.training.quantized import quantized

RANGES = "ranges"


def trained_ranges(path: Path | None) -> Mapping[str, Any]:
    """The ranges of activations that a `.keras` was trained with; empty without any."""
    found = files.read_note(path).get(RANGES) if path else None
    return found if isinstance(found, dict) else {}


def to_int8(trained: Path, ranges: Mapping[str, Any], out: Path, step: object) -> None:
    """
    Convert the `.keras` file *trained* with its *ranges* to *out*: int8 from end to end.

    Raises BuildError where TensorFlow's converter refuses.
    """
    import tensorflow as tf

    model = quantized(files.read_model(trained, str(step)), step, ranges)
    with tempfile.TemporaryDirectory(prefix="edgebudget-") as folder:
        files.save_with_batch_of_one(model, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        try:
            content = converter.convert()
        except Exception as error:  # the converter raises anything
            words = " ".join(str(error).split())
            raise BuildError(
                f"{step}: TensorFlow cannot convert the model: {words[:300]}"
            ) from None
    out.write_bytes(content)
