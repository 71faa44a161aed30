"""Small networks of every shape that channels meet in; random weights, statistics too."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import layers, ops


def _input(*shape: int) -> keras.KerasTensor:
    return keras.Input(shape, name="x")


def _conv(x, filters: int, kernel: int = 3, **options):
    x = layers.Conv2D(filters, kernel, padding="same", **options)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def chain() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 2), name="x"),
            layers.Conv2D(10, 3, activation="relu", name="first"),
            layers.BatchNormalization(name="norm"),
            layers.ZeroPadding2D(1),
            layers.MaxPooling2D(),
            layers.Conv2D(7, 3, padding="same", use_bias=False, activation="relu", name="second"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(9, activation="relu", name="hidden"),
            layers.Dense(4, activation="softmax", name="last"),
        ]
    )


def residual() -> keras.Model:
    x = _input(8, 8, 3)
    y = _conv(x, 8)
    for filters, stride in ((8, 1), (12, 2), (12, 1)):
        z = layers.Conv2D(filters, 3, padding="same")(_conv(y, filters, strides=stride))
        z = layers.BatchNormalization()(z)
        if stride > 1:
            y = layers.Conv2D(filters, 1, strides=stride)(y)
        y = layers.ReLU()(layers.Add()([y, z]))
    y = layers.GlobalAveragePooling2D()(y)
    return keras.Model(x, layers.Dense(5, activation="softmax")(y))


def inception() -> keras.Model:
    x = _input(6, 6, 2)
    y = _conv(x, 9)
    a, b, c = _conv(y, 6, 1), _conv(_conv(y, 5, 1), 8), layers.AveragePooling2D(3, 1, "same")(y)
    both = layers.BatchNormalization()(layers.Concatenate()([a, b]))
    added = layers.Add()([both, layers.Conv2D(14, 1)(x)])
    y = layers.Concatenate()([layers.ReLU()(added), c])
    return keras.Model(x, layers.Dense(3)(layers.Flatten()(_conv(y, 6))))


def separable() -> keras.Model:
    x = _input(8, 8, 3)
    y = _conv(x, 8, strides=2)
    y = layers.DepthwiseConv2D(3, padding="same")(y)
    y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
    y = _conv(y, 12, 1)
    y = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu")(y)
    y = _conv(y, 10, 1)
    y = layers.SeparableConv2D(11, 3, depth_multiplier=3, activation="relu")(y)
    y = layers.GlobalMaxPooling2D(keepdims=True)(y)
    return keras.Model(x, layers.Flatten()(layers.Conv2D(4, 1)(y)))


def dense_net() -> keras.Model:
    x = _input(6, 6, 2)
    y = _conv(x, 6)
    for _ in range(3):
        y = layers.Concatenate()([y, _conv(y, 5)])
    y = layers.AveragePooling2D(2)(_conv(y, 9, 1))
    return keras.Model(x, layers.Dense(4)(layers.Reshape((-1,))(y)))


def squeeze_excite() -> keras.Model:
    x = _input(6, 6, 3)
    y = _conv(x, 8)
    s = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(y))
    s = layers.Conv2D(6, 1, activation="relu")(s)
    y = layers.Multiply()([y, layers.Conv2D(8, 1, activation="sigmoid")(s)])
    y = y * (ops.relu6(y + 3.0) / 6.0)
    one = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(y)
    y = layers.Multiply()([y, one])
    return keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling2D()(y)))


def sequence() -> keras.Model:
    x = keras.Input((12,), dtype="int32", name="x")
    y = layers.Embedding(20, 8)(x)
    y = layers.Conv1D(9, 3, activation="relu", dilation_rate=2)(y)
    y = layers.SeparableConv1D(10, 3, activation="relu")(layers.SpatialDropout1D(0.1)(y))
    y = layers.DepthwiseConv1D(2, activation="relu")(y)
    y = layers.PReLU(shared_axes=[1])(layers.UpSampling1D()(y))
    y = layers.Dense(7, activation="relu")(y)
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(layers.Cropping1D(1)(y))))


def autoencoder() -> keras.Model:
    x = _input(8, 8, 3)
    y = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    z = layers.Conv2D(12, 3, strides=2, padding="same", activation="relu")(y)
    z = layers.PReLU()(layers.BatchNormalization()(z))
    z = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(z)
    z = layers.Maximum()([z, y])
    return keras.Model(x, layers.Conv2DTranspose(3, 3, strides=2, padding="same")(z))


def nested() -> keras.Model:
    body = keras.Sequential(
        [
            keras.Input((8, 8, 6)),
            layers.Conv2D(9, 3, activation="relu", name="inner"),
            layers.BatchNormalization(name="inner_norm"),
        ],
        name="body",
    )
    x = _input(8, 8, 3)
    y = body(layers.Conv2D(6, 3, padding="same", activation="relu", name="outer")(x))
    return keras.Model(x, layers.Dense(4, name="end")(layers.GlobalAveragePooling2D()(y)))


def shared() -> keras.Model:
    left, right = keras.Input((6, 6, 3), name="left"), keras.Input((6, 6, 3), name="right")
    tower, head = layers.Conv2D(8, 3, activation="relu"), layers.Dense(6, activation="relu")
    a, b = layers.Conv2D(5, 1)(left), layers.Conv2D(5, 1)(right)
    pooled = layers.GlobalAveragePooling2D()
    apart = layers.Subtract()([head(pooled(tower(a))), head(pooled(tower(b)))])
    return keras.Model([left, right], layers.Dense(1, activation="sigmoid")(apart))


def two_outputs() -> keras.Model:
    x = _input(6, 6, 3)
    y = _conv(x, 8)
    features = layers.Conv2D(6, 3, activation="relu", name="features")(y)
    flat = layers.Flatten()(features)
    return keras.Model(x, [features, layers.Dense(3)(layers.Dense(8, activation="relu")(flat))])


def attention() -> keras.Model:
    """Channels into layers that are not known stay; those before and behind go."""
    x = _input(10, 4)
    y = layers.Conv1D(9, 3, padding="same", activation="relu", name="before")(x)
    y = layers.Conv1D(8, 3, padding="same", name="into")(y)
    y = layers.MultiHeadAttention(2, 4, name="attention")(y, y)
    y = layers.Dense(6, activation="softmax", name="mixing")(y)
    y = layers.LSTM(5, return_sequences=True, name="recurrent")(layers.Dense(7, name="towards")(y))
    y = layers.Conv1D(8, 1, activation="relu", name="pairs")(y)
    y = layers.Flatten()(layers.Conv1D(6, 1, groups=2, name="grouped")(y))
    y = layers.Dense(10, activation="relu", name="behind")(y)
    return keras.Model(x, layers.Dense(2)(y))


GRAPHS: dict[str, Callable[[], keras.Model]] = {
    each.__name__: each
    for each in (
        *(chain, residual, inception, separable, dense_net, squeeze_excite, sequence),
        *(autoencoder, nested, shared, two_outputs, attention),
    )
}


def random(model: keras.Model, seed: int) -> keras.Model:
    """*model* with random weights; variances are positive."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        fan = max(1, int(np.prod(weight.shape[:-1])))
        values = rng.normal(0, 1.5 / np.sqrt(fan) if len(weight.shape) > 1 else 0.5, weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    return model


def inputs_of(model: keras.Model, seed: int, samples: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        rng.integers(0, 20, (samples, *tensor.shape[1:])).astype("int32")
        if "int" in tensor.dtype
        else rng.normal(size=(samples, *tensor.shape[1:])).astype("float32")
        for tensor in model.inputs
    ]
