"""What models are trained for, and how much a loss is."""

from __future__ import annotations

import keras
import numpy as np

from pytest_edgebudget.training.arrays import Samples
from pytest_edgebudget.training.losses import targets

L = keras.layers
X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")


def net(*layers):
    return keras.Sequential([keras.Input((4,)), *layers])


def kinds(payload):
    """Kind and activation that are found for a last layer and labels."""
    classes, chances = np.arange(8) % 3, np.arange(8) % 2
    models = {
        "softmax": (net(L.Dense(3, activation="softmax")), classes),
        "softmax behind a dropout": (net(L.Dense(3), L.Softmax(), L.Dropout(0.1)), classes),
        "inside a model": (net(net(L.Dense(3, activation="softmax"))), classes[:, None]),
        "logits": (net(L.Dense(3)), classes.astype("uint8")),
        "sigmoid": (net(L.Dense(1, activation="sigmoid")), chances),
        "sigmoid, float labels": (net(L.Dense(1, activation="sigmoid")), chances.astype("float32")),
        "one logit": (net(L.Dense(1)), chances.astype(bool)),
        "several sigmoids": (net(L.Dense(2, activation="sigmoid")), np.eye(2, dtype=int)[chances]),
        "values": (net(L.Dense(1)), X[:, 0]),
        "reconstruction": (net(L.Dense(2), L.Dense(4)), None),
    }
    found = {}
    for name, (model, labels) in models.items():
        names = {} if labels is None else {model.layers[-1].name: labels}
        (target,) = targets(model, Samples((X,), names), "finetune").values()
        found[name] = [target.kind, target.activation]
    return found


def same_loss(payload):
    """The loss of the same network with and without its softmax, and by hand."""
    keras.utils.set_random_seed(0)
    logits = net(L.Dense(3))
    chances = keras.Sequential([logits, L.Softmax()])
    labels = np.arange(8) % 3
    values = []
    for model in (logits, chances):
        (target,) = targets(model, Samples((X,), {model.layers[-1].name: labels}), "x").values()
        values.append(float(target.loss()(target.labels, model(X))))
    p = np.asarray(chances(X))
    return [*values, float(-np.log(p[np.arange(8), labels]).mean())]
