"""
Networks with fewer inputs, and what scikit-learn and the whole network say.

    python reduced.py OUT.json

A projected network answers like the whole one for inputs that scikit-learn projected and
put together again; one that reads some inputs, like the whole one with the mean for the others.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np
from graphs import chain, random, shared
from keras import layers
from sklearn.decomposition import PCA

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes import pca, rfe
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.types import Step

MATTER = (1, 4, 7)


def plain(bias: bool = True) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((12,), name="x"),
            layers.Dense(16, activation="relu", use_bias=bias, name="first"),
            layers.Dense(3, activation="softmax", name="last"),
        ]
    )


def behind_others() -> keras.Model:
    x = keras.Input((4, 3), name="x")
    y = layers.BatchNormalization()(layers.Rescaling(2.0, 0.5)(x))
    y = layers.Dense(16, activation="relu")(layers.Dropout(0.2)(layers.Flatten()(y)))
    return keras.Model(x, layers.Dense(3, activation="softmax", name="pca")(y))


def values() -> keras.Model:
    x = keras.Input((12,), name="x")
    return keras.Model(x, layers.Dense(1)(layers.Dense(16, activation="relu")(x)))


class Kitchen:
    def __init__(self, folder: Path) -> None:
        self.folder, rng = folder, np.random.default_rng(4)
        self.x = (rng.normal(size=(200, 12)) @ rng.normal(size=(12, 12))).astype("float32")
        self.x += rng.normal(size=12).astype("float32")
        apart = rng.normal(size=(200, 12)).astype("float32")
        self.apart = apart
        self.classes = apart[:, MATTER].argmax(axis=1)
        self.numbers = apart[:, MATTER] @ np.array([3.0, -2.0, 1.5])

    def apply(self, chosen, step: Step, model: keras.Model, x, y) -> tuple[keras.Model, str]:
        out = self.folder / "out.keras"
        out.with_suffix(".notes").unlink(missing_ok=True)
        model.save(self.folder / "in.keras")
        arrays = {"x_train": x} | ({} if y is None else {"y_train": y})
        np.savez(self.folder / "train.npz", **arrays)
        chosen.PASS.apply(
            Job(model=self.folder / "in.keras", out=out, step=step, data=self.folder / "train.npz")
        )
        return keras.saving.load_model(out), out.with_suffix(".notes").read_text().strip()

    def refused(self, chosen, step: Step, model: keras.Model, x=None, y=None) -> str:
        try:
            self.apply(chosen, step, model, self.x if x is None else x, y)
        except BuildError as error:
            return f"{error.message}|{error.hint}"
        raise AssertionError(f"{step} was not refused")


def step(name: str, count: int, epochs: int = 0) -> Step:
    return Step(name, (count,), (("epochs", epochs),))


def apart(one: keras.Model, x: np.ndarray, other: keras.Model, z: np.ndarray) -> float:
    return float(np.abs(one.predict(x, verbose=0) - other.predict(z, verbose=0)).max())


def projected(kitchen: Kitchen, model: keras.Model) -> dict:
    made, note = kitchen.apply(pca, step("pca", 5), model, kitchen.x, None)
    x = kitchen.x.astype("float64")
    ours = PCA(5).fit(x)
    again = ours.inverse_transform(ours.transform(x)).astype("float32")
    return {
        "apart": apart(made, kitchen.x, model, again),
        "changed": apart(model, kitchen.x, model, again),
        "note": note,
        "share": float(ours.explained_variance_ratio_.sum()),
    }


def main() -> None:
    out = Path(sys.argv[1])
    kitchen = Kitchen(out.parent)
    x, classes, numbers = kitchen.apart, kitchen.classes, kitchen.numbers
    model = random(plain(), seed=1)
    chosen, note = kitchen.apply(rfe, step("rfe", 3), model, x, classes)
    for_values, note_values = kitchen.apply(rfe, step("rfe", 3), random(values(), 2), x, numbers)
    others = np.tile(x.mean(axis=0), (len(x), 1))
    others[:, MATTER] = x[:, MATTER]
    whole = random(behind_others(), seed=3)
    behind, _ = kitchen.apply(pca, step("pca", 6), whole, kitchen.x.reshape(-1, 4, 3), None)
    trained, _ = kitchen.apply(pca, step("pca", 5, epochs=2), model, kitchen.x, classes)
    np_pca = PCA(5).fit(kitchen.x.astype("float64")).components_.T
    results = {
        "plain": projected(kitchen, model),
        "without bias": projected(kitchen, random(plain(bias=False), seed=2)),
        "behind": [layer.name for layer in behind.layers][-3:],
        "trained projection": float(
            np.abs(np.abs(np.asarray(trained.get_layer("pca").kernel)) - np.abs(np_pca)).max()
        ),
        "trained last": apart(trained, kitchen.x, model, kitchen.x),
        "chosen": note,
        "chosen for values": note_values,
        "apart": apart(chosen, x, model, others.astype("float32")),
        "changed": apart(model, x, model, others.astype("float32")),
        "values": list(for_values.input_shape),
        "convolution": kitchen.refused(pca, step("pca", 2), chain()),
        "two inputs": kitchen.refused(rfe, step("rfe", 2), shared(), y=classes),
        "not fewer": kitchen.refused(rfe, step("rfe", 12), model, y=classes),
        "costly": kitchen.refused(pca, step("pca", 8), model),
        "unlabelled": kitchen.refused(rfe, step("rfe", 3), model),
        "few samples": kitchen.refused(pca, step("pca", 5), model, x=kitchen.x[:4]),
    }
    out.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
