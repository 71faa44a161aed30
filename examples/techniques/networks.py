"""A network whose size is to be found: `tune` chooses what the function takes."""

from __future__ import annotations


def digits(width: int = 16, depth: int = 1, dropout: float = 0.0):
    """A small convolutional network for the digits of 8x8 pixels, not yet trained."""
    import keras

    inputs = keras.Input((8, 8, 1), name="image")
    x = inputs
    for _ in range(depth):
        x = keras.layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Dropout(dropout)(keras.layers.Flatten()(x))
    outputs = keras.layers.Dense(10, activation="softmax", name="digit")(x)
    return keras.Model(inputs, outputs)
