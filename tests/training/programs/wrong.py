"""What is said of data and models that cannot be trained with."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes import finetune, qat, regularize, sparsify
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.types import Step

L = keras.layers
X = np.random.default_rng(0).normal(size=(40, 6)).astype("float32")
Y = np.arange(40) % 3


class Mine(L.Layer):
    def call(self, inputs):
        return inputs


def small(*more):
    return keras.Sequential([keras.Input((6,), name="sensors"), *more, L.Dense(3)])


def frozen():
    model = small()
    model.trainable = False
    return model


def two_inputs():
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    return keras.Model([a, b], L.Dense(3)(L.Add()([a, b])))


def two_outputs():
    a = keras.Input((6,), name="a")
    return keras.Model(a, {"kind": L.Dense(3)(a), "size": L.Dense(1)(a)})


def with_nan():
    x = X.copy()
    x[7, 2] = np.nan
    return x


def data(x=X, y=Y, **more):
    return {"x_train": x, "y_train": y, **more}


def cases():
    """Name to: model, arrays, pass, options of the step."""
    keras.utils.set_random_seed(0)
    plain = finetune.PASS
    return {
        "no x_train": (small(), {"x_val": X}, plain, {}),
        "no y_train": (small(), {"x_train": X}, plain, {}),
        "nan": (small(), data(x=with_nan()), plain, {}),
        "label too large": (small(), data(y=Y + 1), plain, {}),
        "label negative": (small(), data(y=Y - 1), plain, {}),
        "values for classes": (small(), data(y=X), plain, {}),
        "sample shape": (small(), data(x=X[:, :5]), plain, {}),
        "input without a name": (two_inputs(), data(), plain, {}),
        "label without a name": (two_outputs(), data(), plain, {}),
        "frozen": (frozen(), data(), plain, {}),
        "diverges": (small(), data(x=X * 1e38), plain, {"learning_rate": 1.0}),
        "lambda": (small(L.Lambda(lambda x: x + 1)), data(), plain, {}),
        "own layer": (small(Mine()), data(), plain, {}),
        "recurrent": (
            keras.Sequential([keras.Input((6, 1)), L.LSTM(2, name="memory"), L.Dense(3)]),
            data(),
            qat.PASS,
            {},
        ),
        "own activation": (
            small(L.Dense(4, activation="softplus", name="soft")),
            data(),
            qat.PASS,
            {},
        ),
        "no penalty": (small(), data(), regularize.PASS, {"l1": 0.0}),
        "no pattern": (small(), data(), sparsify.PASS, {"pattern": "3:5"}),
        "no fours": (
            keras.Sequential([keras.Input((6,)), L.Dense(3)]),
            data(),
            sparsify.PASS,
            {"pattern": "1x4"},
        ),
    }


def said(payload):
    """The text of the error, by case."""
    folder, texts = Path(payload["folder"]), {}
    for number, (name, (model, arrays, chosen, options)) in enumerate(cases().items()):
        place = folder / str(number)
        place.mkdir()
        model.save(place / "model.keras")
        np.savez(place / "train.npz", **arrays)
        args = (0.5,) if chosen is sparsify.PASS else ()
        job = Job(
            model=place / "model.keras",
            out=place / "out.keras",
            step=Step(chosen.name, args, tuple(options.items())),
            data=place / "train.npz",
        )
        try:
            chosen.apply(job)
            texts[name] = "nothing"
        except BuildError as error:
            texts[name] = str(error)
        texts[name] += " (and a file)" if job.out.exists() else ""
    return texts


def of_keras_2(payload):
    """What is said of an ``.h5`` that tf-keras wrote."""
    import tf_keras

    from pytest_edgebudget.training import files

    image = tf_keras.Input((8, 8, 1))
    y = tf_keras.layers.DepthwiseConv2D(3)(image)
    y = tf_keras.layers.Dense(3)(tf_keras.layers.Flatten()(y))
    path = Path(payload["folder"], "old.h5")
    tf_keras.Model(image, y).save(path)
    try:
        files.read_model(path, "qat")
    except BuildError as error:
        return str(error)
    return "it was read"
