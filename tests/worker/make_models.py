"""
Make small .tflite models and what TensorFlow says about them.

Run in a process of its own: ``python make_models.py FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

RANDOM = np.random.default_rng(3)


class Counter(tf.Module):
    """Adds up what it is given, in a resource variable."""

    def __init__(self) -> None:
        super().__init__()
        self.total = tf.Variable(tf.zeros((1, 2)))

    @tf.function(input_signature=[tf.TensorSpec((1, 2), tf.float32, name="x")])
    def __call__(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        self.total.assign_add(x)
        return {"total": self.total * 1.0}


class Pair(tf.Module):
    """Two inputs, three outputs."""

    @tf.function(
        input_signature=[
            tf.TensorSpec((1, 3), tf.float32, name="left"),
            tf.TensorSpec((1, 2), tf.float32, name="right"),
        ]
    )
    def __call__(self, left: tf.Tensor, right: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            "sum": tf.reduce_sum(left, 1) + tf.reduce_sum(right, 1),
            "scaled": right * 3.0,
            "first": left[:, :1] - right[:, :1],
        }


def of_function(module: tf.Module) -> bytes:
    function = module.__call__.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    converter.experimental_enable_resource_variables = True
    return bytes(converter.convert())


def with_signature(module: tf.Module, folder: Path) -> bytes:
    tf.saved_model.save(module, str(folder), signatures=module.__call__.get_concrete_function())
    return bytes(tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert())


def quantized(folder: Path) -> None:
    """One dense network, once with float and once with int8 inputs and outputs."""
    layers = [tf.keras.Input((6,), batch_size=1), tf.keras.layers.Dense(8, activation="relu")]
    model = tf.keras.Sequential([*layers, tf.keras.layers.Dense(3)])
    model.export(str(folder / "dense"), verbose=False)
    x = RANDOM.standard_normal((50, 6)).astype(np.float32)
    for name, kind in (("float_io", tf.float32), ("int8_io", tf.int8)):
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "dense"))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([row[None]] for row in x)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = kind
        (folder / f"{name}.tflite").write_bytes(converter.convert())
    np.savez(folder / "dense.npz", x_test=x * 1.5)  # some beyond what was calibrated


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "counter.tflite").write_bytes(of_function(Counter()))
    (folder / "pair.tflite").write_bytes(with_signature(Pair(), folder / "pair"))
    quantized(folder)
