"""
What the rankings of a network's channels say, and what the loss says.

    python rank.py OUT.json

For `taylor`: the derivative of the loss by a factor on all weights of one channel, from two
losses on either side of 1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np
from graphs import chain, random, residual

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.surgery import ranking
from pytest_edgebudget.surgery.narrow import narrow
from pytest_edgebudget.surgery.rebuild import functional
from pytest_edgebudget.types import Step

STEP = 1e-2


def numeric(model: keras.Model, x: np.ndarray, y: np.ndarray, name: str) -> list[float]:
    """Per channel of the layer, how fast the loss changes as the channel grows."""
    loss = keras.losses.SparseCategoricalCrossentropy()
    layer, found = model.get_layer(name), []
    kernel, bias = np.array(layer.kernel), np.array(layer.bias)
    for channel in range(kernel.shape[-1]):
        values = []
        for factor in (1 - STEP, 1 + STEP):
            scaled = np.ones(kernel.shape[-1])
            scaled[channel] = factor
            layer.kernel.assign(kernel * scaled)
            layer.bias.assign(bias * scaled)
            values.append(float(loss(y, model(x, training=False))))
        found.append((values[1] - values[0]) / (2 * STEP))
    layer.kernel.assign(kernel)
    layer.bias.assign(bias)
    return found


def refused(name: str, make) -> str:
    try:
        make()
    except BuildError as error:
        return f"{error.message}|{error.hint}"
    raise AssertionError(f"{name} was not refused")


class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, x):
        return self.dense(x)


def subclass() -> keras.Model:
    model = Subclass()
    model(np.zeros((1, 4), "float32"))
    return model


def small() -> keras.Model:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])


def main() -> None:
    out = Path(sys.argv[1])
    rng = np.random.default_rng(3)
    x = rng.normal(size=(32, 8, 8, 2)).astype("float32")
    y = rng.integers(0, 4, 32)
    data = out.parent / "train.npz"
    np.savez(data, x_train=x, y_train=y)
    model = functional(random(chain(), seed=5))
    job = Job(model=out, out=out, step=Step("channels", (0.3,)), data=data)
    taylor = ranking.by_taylor(model, job)
    deep = functional(random(residual(), seed=6))
    scales = ranking.by_scale(deep)
    first = deep.layers[1].name
    tied = narrow(deep, ranking.by_l1(deep), 0.4)
    results = {
        "taylor": {name: list(map(float, taylor[name])) for name in ("first", "hidden")},
        "numeric": {name: numeric(model, x, y, name) for name in ("first", "hidden")},
        "l1": list(map(float, ranking.by_l1(model)["second"])),
        "kernel": np.asarray(model.get_layer("second").kernel).tolist(),
        "bn": list(map(float, scales[deep.layers[-1].name])),
        "last kernel": np.asarray(deep.layers[-1].kernel).tolist(),
        "first bn": list(map(float, scales[first])),
        "gammas": [
            np.asarray(layer.gamma).tolist()
            for layer in deep.layers
            if type(layer).__name__ == "BatchNormalization"
        ],
        "tied": {name: list(map(int, kept.given)) for name, kept in tied.kept.items()},
        "kinds": {layer.name: type(layer).__name__ for layer in deep.layers},
        "subclass": refused("subclass", lambda: functional(subclass())),
        "small": refused("small", lambda: narrow(functional(small()), {}, 0.5)),
        "little": refused("little", lambda: narrow(model, ranking.by_l1(model), 0.01)),
    }
    out.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
