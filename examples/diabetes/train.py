"""
Train the diabetes model and write every file of this folder.

    python examples/diabetes/train.py

Needs scikit-learn and TensorFlow; takes half a minute on two cores. Seeded: the
same versions on the same kind of CPU write the same weights.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_diabetes

SEED = 7
SPLITS = {"test": 120, "val": 60, "calibration": 60, "train": 202}
HERE = Path(__file__).parent
Data = Mapping[str, np.ndarray]


def load_data() -> Data:
    """
    Ten standardised measurements of 442 patients, and the disease a year later.

    Arrays ``x_SPLIT``, float32 of shape (n, 10) with mean 0 and standard
    deviation 1, and ``y_SPLIT``, the disease's progression (25 to 346), (n,).
    """
    patients = load_diabetes()
    shuffled = np.random.default_rng(SEED).permutation(len(patients.data))
    # scikit-learn scales every column to a sum of squares of 1.
    x = (patients.data * np.sqrt(len(patients.data))).astype(np.float32)
    y = patients.target.astype(np.float32)
    data, start = {}, 0
    for split, samples in SPLITS.items():
        rows = shuffled[start : start + samples]
        data |= {f"x_{split}": x[rows], f"y_{split}": y[rows]}
        start += samples
    return data


def build(mean: float, deviation: float) -> keras.Model:
    """10 numbers to one; the last layer brings it to the scale of the labels."""
    layers = keras.layers
    decay = keras.regularizers.L2(1e-2)
    return keras.Sequential(
        [
            keras.Input((10,), name="measurements"),
            layers.Dense(64, activation="relu", kernel_regularizer=decay, name="first"),
            layers.Dense(64, activation="relu", kernel_regularizer=decay, name="second"),
            layers.Dense(1, kernel_regularizer=decay, name="standardised"),
            layers.Rescaling(deviation, mean, name="progression"),
        ],
        name="diabetes",
    )


def train(data: Data, epochs: int) -> keras.Model:
    """A trained model, without the optimizer's state (it would triple the file)."""
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    scale = float(data["y_train"].mean()), float(data["y_train"].std())
    model = build(*scale)
    model.compile(keras.optimizers.Adam(1e-3), "mae")
    model.fit(data["x_train"], data["y_train"], batch_size=16, epochs=epochs, verbose=0)
    errors = np.abs(model.predict(data["x_test"], verbose=0)[:, 0] - data["y_test"])
    naive = np.abs(scale[0] - data["y_test"])
    print(f"mean absolute error {errors.mean():.2f}; always the mean: {naive.mean():.2f}")
    bare = build(*scale)
    bare.set_weights(model.get_weights())
    return bare


def export(model: keras.Model, folder: Path) -> None:
    """Write *model* as .keras and, with a batch of one, as .onnx."""
    spec = keras.InputSpec(shape=(1, 10), dtype="float32", name="measurements")
    model.save(folder / "diabetes.keras")
    model.export(folder / "diabetes.onnx", format="onnx", input_signature=[spec], verbose=False)


def main() -> None:
    """Train and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the files")
    parser.add_argument("--epochs", type=int, default=60)
    options = parser.parse_args()
    data = load_data()
    np.savez_compressed(options.out / "data.npz", **data)
    export(train(data, options.epochs), options.out)


if __name__ == "__main__":
    main()
