"""A network of tf-keras (Keras 2), as an `.h5`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tf_keras

L = tf_keras.layers


def digits(payload):
    """Trained a little; returns its answers to x_test."""
    tf_keras.utils.set_random_seed(0)
    held = tf_keras.regularizers.l2(1e-4)
    image = tf_keras.Input((8, 8, 1), name="image")
    y = L.Conv2D(8, 3, padding="same", use_bias=False, kernel_regularizer=held)(image)
    y = L.ReLU(6.0)(L.BatchNormalization()(y))
    y = L.ReLU()(L.BatchNormalization()(L.DepthwiseConv2D(3, strides=2)(y)))
    model = tf_keras.Model(image, L.Dense(10, activation="softmax")(L.Flatten()(y)))
    model.compile("adam", "sparse_categorical_crossentropy")
    with np.load(payload["data"]) as data:
        x = data["x_train"].reshape(-1, 8, 8, 1)
        model.fit(x, data["y_train"], epochs=8, verbose=0)
        model.save(Path(payload["path"]))
        return model.predict(data["x_test"].reshape(-1, 8, 8, 1), verbose=0).tolist()


def in_keras_3(payload):
    """The answers of a `.keras` to x_test."""
    import keras

    model = keras.saving.load_model(payload["path"])
    with np.load(payload["data"]) as data:
        return model.predict(data["x_test"].reshape(-1, 8, 8, 1), verbose=0).tolist()
