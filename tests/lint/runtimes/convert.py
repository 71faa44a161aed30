"""
Converts small networks whose weights are four fifths zeros, and one with an op of TensorFlow.

    python convert.py FOLDER

writes LAYER_KIND.tflite (sparse) and flex.tflite.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers as la

SPARSE, DEFAULT = tf.lite.Optimize.EXPERIMENTAL_SPARSITY, tf.lite.Optimize.DEFAULT
LAYERS = {"conv": [la.Conv2D(64, 3)], "dense": [la.Flatten(), la.Dense(64)]}


def pruned(layers: list[Any]) -> Any:
    network = keras.Sequential([keras.Input((8, 8, 16), batch_size=1), *layers])
    random = np.random.default_rng(0)
    weights = [np.where(random.random(w.shape) < 0.8, 0, w) for w in network.get_weights()]
    network.set_weights(weights)
    return network


def samples() -> Iterator[list[np.ndarray]]:
    random = np.random.default_rng(0)
    return ([random.normal(size=(1, 8, 8, 16)).astype("float32")] for _ in range(20))


def convert(network: Any, saved: Path, out: Path, **options: Any) -> None:
    signature = [keras.InputSpec(shape=(1, 8, 8, 16), dtype="float32")]
    network.export(str(saved), input_signature=signature, verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    for name, value in options.items():
        setattr(converter, name, value)
    out.write_bytes(converter.convert())


def flex(out: Path) -> None:
    @tf.function(input_signature=[tf.TensorSpec([1, 3, 3], tf.float32)])
    def inverse(x: tf.Tensor) -> tf.Tensor:
        return tf.linalg.inv(tf.nn.tanh(x))

    converter = tf.lite.TFLiteConverter.from_concrete_functions([inverse.get_concrete_function()])
    builtin, select = tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS
    converter.target_spec.supported_ops = [builtin, select]
    out.write_bytes(converter.convert())


def main(folder: Path) -> None:
    keras.utils.set_random_seed(0)
    for name, layers in LAYERS.items():
        network = pruned(layers)
        saved = folder / name
        convert(network, saved, folder / f"{name}_float.tflite", optimizations=[SPARSE])
        both = [DEFAULT, SPARSE]
        convert(network, saved, folder / f"{name}_dynamic.tflite", optimizations=both)
        options = {"optimizations": both, "representative_dataset": samples}
        convert(network, saved, folder / f"{name}_int8.tflite", **options)
    flex(folder / "flex.tflite")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
