"""Functions that build models, as a user would write them; some are wrong."""

from __future__ import annotations

import keras
from keras import layers


def net(width: int = 4, depth: int = 1, activation: str = "relu") -> keras.Model:
    x = keras.Input((6,), name="x")
    y = x
    for _ in range(depth):
        y = layers.Dense(width, activation=activation)(y)
    return keras.Model(x, layers.Dense(3, activation="softmax", name="kind")(y))


def number(width: int = 4) -> int:
    return width


def wider_output(width: int = 4) -> keras.Model:
    x = keras.Input((6,), name="x")
    return keras.Model(x, layers.Dense(width)(x))
