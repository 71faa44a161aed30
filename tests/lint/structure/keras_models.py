"""
Ordinary Keras models, and some with a flaw that people build, as TensorFlow exports them.

    python keras_models.py FOLDER

writes NAME.tflite, NAME.onnx and, with an open batch, NAME_open.tflite and
NAME_open.onnx; of some also NAME_int8.tflite. A process of its own: TensorFlow
takes 700 MB.
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


def chain(shape: tuple[int, ...], *steps: Any, dtype: str = "float32") -> Any:
    return keras.Sequential([keras.Input(shape, batch_size=1, dtype=dtype), *steps])


def convolution(x: Any, filters: int, size: int = 1, activation: Any = None, **more: Any) -> Any:
    x = la.Conv2D(filters, size, padding="same", use_bias=False, **more)(x)
    x = la.BatchNormalization()(x)
    return activation(x) if activation else x


def digits() -> Any:
    return chain(
        (8, 8, 1),
        la.Conv2D(16, 3, padding="same", activation="relu"),
        la.MaxPooling2D(2),
        la.Conv2D(32, 3, padding="same", activation="relu"),
        la.Flatten(),
        la.Dense(10, activation="softmax"),
    )


def mobilenet() -> Any:
    x = start = keras.Input((32, 32, 3), batch_size=1)
    x = convolution(x, 8, 3, la.ReLU(), strides=2)
    for filters, stride in ((16, 1), (32, 2), (32, 1)):
        x = la.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x)
        x = la.ReLU(6.0)(la.BatchNormalization()(x))
        x = convolution(x, filters, 1, la.ReLU())
    x = la.Dropout(0.2)(la.GlobalAveragePooling2D()(x))
    return keras.Model(start, la.Dense(10, activation="softmax")(x))


def residual() -> Any:
    x = start = keras.Input((16, 16, 3), batch_size=1)
    x = la.Conv2D(8, 3, padding="same")(x)
    for _ in range(2):
        y = la.ReLU()(la.BatchNormalization()(x))
        y = convolution(y, 8, 3, la.ReLU())
        x = la.Add()([x, la.Conv2D(8, 3, padding="same")(y)])
    return keras.Model(start, la.Dense(10)(la.GlobalAveragePooling2D()(x)))


def attention() -> Any:
    x = start = keras.Input((12, 16), batch_size=1)
    x = la.LayerNormalization()(la.Add()([x, la.MultiHeadAttention(2, 8)(x, x)]))
    y = la.Dense(16)(la.Dense(32, activation="relu")(x))
    x = la.LayerNormalization()(la.Add()([x, y]))
    return keras.Model(start, la.Dense(3)(la.GlobalAveragePooling1D()(x)))


def conv1d() -> Any:
    return chain(
        (64, 6),
        la.Conv1D(16, 5, use_bias=False),
        la.BatchNormalization(),
        la.ReLU(),
        la.MaxPooling1D(2),
        la.Conv1D(16, 3),
        la.ReLU(),
        la.GlobalAveragePooling1D(),
        la.Dense(4),
    )


def lstm() -> Any:
    return chain((14, 5), la.LSTM(7), la.Dense(2))


def double() -> Any:
    dense = (la.Dense(n, dtype="float64", activation="relu") for n in (32, 32, 1))
    return chain((10,), *dense, dtype="float64")


class Noise(la.Layer):  # type: ignore[misc]
    """Noise for training that its author forgot to switch off."""

    def call(self, x: Any) -> Any:
        return x + 0.1 * tf.random.normal(x.shape)


def noisy() -> Any:
    return chain((16,), la.Dense(32, activation="relu"), Noise(), la.Dense(4))


MODELS = (digits, mobilenet, residual, attention, conv1d, lstm, double, noisy)
OPEN = (digits, conv1d, attention)
INT8 = (digits, mobilenet, residual)


def samples(model: Any) -> Iterator[list[Any]]:
    numbers = np.random.default_rng(0)
    for _ in range(4):
        yield [numbers.random(model.inputs[0].shape, dtype=np.float32)]


def export(model: Any, path: Path, batch: int | None) -> None:
    kind = model.inputs[0].dtype
    signature = [keras.InputSpec(shape=(batch, *model.inputs[0].shape[1:]), dtype=kind)]
    onnx = str(path.with_suffix(".onnx"))
    model.export(onnx, format="onnx", input_signature=signature, verbose=False)
    if kind == "float64":  # TensorFlow Lite has no such dense layer
        return
    model.export(str(path), input_signature=signature, verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(path))
    path.with_suffix(".tflite").write_bytes(converter.convert())


def quantize(model: Any, path: Path) -> None:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(path))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: samples(model)
    path.with_name(f"{path.name}_int8.tflite").write_bytes(converter.convert())


def main(folder: Path) -> None:
    for make in MODELS:
        keras.utils.set_random_seed(0)
        model, path = make(), folder / make.__name__
        # Zero biases are dropped by the exporters; variances are positive.
        weights = [np.abs(np.random.normal(size=w.shape)) + 0.1 for w in model.get_weights()]
        model.set_weights(weights)
        export(model, path, 1)
        if make in OPEN:
            export(model, folder / f"{path.name}_open", None)
        if make in INT8:
            quantize(model, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
