"""
Models for the tests, made in a process of their own: python make_models.py FOLDER

``chain.keras``: three dense layers with and without ReLU, whose weights reach beyond small
ranges; they lie in ``chain.npz``, too. ``picture.keras``: a small convolutional network.
``two.keras``: two inputs and two outputs. ``tiny.keras``: for logic. ``cube.keras``: a layer that hls4ml does not know.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np


def chain() -> keras.Model:
    model = keras.Sequential(
        [
            keras.layers.Input((12,), name="x"),
            keras.layers.Dense(10, activation="relu", name="first"),
            keras.layers.Dense(8, activation="relu", name="second"),
            keras.layers.Dense(5, name="third"),
        ]
    )
    random = np.random.default_rng(3)
    model.set_weights([random.normal(0, 1.2, each.shape) for each in model.get_weights()])
    return model


def picture() -> keras.Model:
    keras.utils.set_random_seed(4)
    return keras.Sequential(
        [
            keras.layers.Input((6, 6, 1), name="image"),
            keras.layers.Conv2D(3, 3, padding="same", activation="relu", name="edges"),
            keras.layers.MaxPooling2D(name="pool"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(4, activation="softmax", name="kind"),
        ]
    )


def two() -> keras.Model:
    left = keras.layers.Input((3,), name="left")
    right = keras.layers.Input((2,), name="right")
    joined = keras.layers.Concatenate(name="joined")([left, right])
    outputs = [
        keras.layers.Dense(2, name="up")(joined),
        keras.layers.Dense(1, name="down", activation="relu")(joined),
    ]
    return keras.Model([left, right], outputs)


def tiny() -> keras.Model:
    model = keras.Sequential(
        [
            keras.layers.Input((4,), name="x"),
            keras.layers.Dense(3, activation="relu", name="first"),
            keras.layers.Dense(2, activation="sigmoid", name="second"),
        ]
    )
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 0.7, each.shape) for each in model.get_weights()])
    return model


def cube() -> keras.Model:
    return keras.Sequential(
        [keras.layers.Input((4, 4, 4, 1), name="x"), keras.layers.Conv3D(2, 3, name="cube")]
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for make in (chain, picture, two, tiny, cube):
        model = make()
        model.save(folder / f"{make.__name__}.keras")
        np.savez(folder / f"{make.__name__}.npz", *model.get_weights())
