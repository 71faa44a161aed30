"""
Converts Keras models and has TensorFlow write the op versions into other files.

    python tf_versions.py FOLDER MODEL...

writes NAME_KIND.tflite for each network below, and rewrites each MODEL: read
and written again by TensorFlow's converter, which sets the versions anew.
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
from tensorflow.lite.python.convert import mlir_sparsify

DEFAULT = [tf.lite.Optimize.DEFAULT]
INTEGERS = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]


def branching() -> Any:
    start = keras.Input((16, 16, 8), batch_size=1)
    x = la.Conv2D(32, 3, padding="same", activation="relu")(start)
    y = la.ReLU(6)(la.DepthwiseConv2D(3, padding="same")(x))
    x = la.MaxPooling2D(2)(la.Concatenate()([la.Add()([x, y]), y]))
    x = la.Conv2D(64, 1)(la.Conv2DTranspose(8, 3, strides=2)(x))
    x = la.Multiply()([x, keras.activations.sigmoid(x)])
    x = la.Dense(32, activation="tanh")(la.GlobalAveragePooling2D()(x))
    return keras.Model(start, la.Dense(10, activation="softmax")(la.LayerNormalization()(x)))


def attention() -> Any:
    start = keras.Input((12, 16), batch_size=1)
    return keras.Model(
        start, la.Dense(4)(la.MultiHeadAttention(num_heads=2, key_dim=8)(start, start))
    )


def moving() -> Any:
    start = keras.Input((8, 8, 4), batch_size=1)
    x = la.Conv2D(4, 3, groups=2)(start)
    x = la.UpSampling2D(2)(la.UpSampling2D(2, interpolation="bilinear")(x))
    x = la.LeakyReLU()(la.ZeroPadding2D(1)(x))
    x = la.Flatten()(la.AveragePooling2D(2)(x)[:, 1:, ::2])
    return keras.Model(start, la.Dense(3, activation="elu")(la.Dense(3, activation="gelu")(x)))


NETWORKS = {"branching": branching, "attention": attention, "moving": moving}


def kinds(samples: np.ndarray) -> Iterator[tuple[str, dict[str, Any]]]:
    def data() -> Iterator[list[np.ndarray]]:
        return ([sample[None]] for sample in samples)

    calibrated = {"optimizations": DEFAULT, "representative_dataset": data}
    yield "float", {}
    yield "dynamic", {"optimizations": DEFAULT}
    yield "int8", calibrated
    yield "int8_per_tensor", {**calibrated, "_experimental_disable_per_channel": True}
    yield "uint8_ends", {**calibrated, "inference_input_type": tf.uint8, "supported_ops": INTEGERS}


def convert(folder: Path, name: str, network: Any) -> None:
    shape = network.inputs[0].shape
    signature = [keras.InputSpec(shape=shape, dtype="float32")]
    network.export(str(folder / name), input_signature=signature, verbose=False)
    samples = np.random.default_rng(0).normal(size=(20, *shape[1:])).astype("float32")
    for kind, options in kinds(samples):
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / name))
        converter.target_spec.supported_ops = options.pop(
            "supported_ops", [tf.lite.OpsSet.TFLITE_BUILTINS]
        )
        for key, value in options.items():
            setattr(converter, key, value)
        (folder / f"{name}_{kind}.tflite").write_bytes(converter.convert())


def main(folder: Path, models: list[Path]) -> None:
    for model in models:
        (folder / model.name).write_bytes(mlir_sparsify(model.read_bytes()))
    for name, network in NETWORKS.items():
        keras.utils.set_random_seed(0)
        convert(folder, name, network())


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
