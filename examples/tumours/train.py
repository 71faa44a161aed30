"""
Train the tumours model and write every file of this folder.

    python examples/tumours/train.py

Needs scikit-learn and TensorFlow; takes half a minute on two cores. Seeded: the
same versions on the same kind of CPU write the same weights.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

SEED = 7
HERE = Path(__file__).parent
Data = Mapping[str, np.ndarray]


def load_data() -> Data:
    """
    Measurements of 569 tumours in four stratified splits.

    Arrays ``x_SPLIT``, float32 of shape (n, 30), scaled to mean 0 and standard
    deviation 1 over x_train, and ``y_SPLIT``, 1 for malignant and 0 for benign.
    """
    tumours = load_breast_cancer()
    rest, splits = np.arange(len(tumours.data)), {}
    for split, samples in {"test": 200, "val": 80, "calibration": 60}.items():
        rest, splits[split] = train_test_split(
            rest, test_size=samples, stratify=tumours.target[rest], random_state=SEED
        )
    splits["train"] = rest
    mean, deviation = tumours.data[rest].mean(axis=0), tumours.data[rest].std(axis=0)
    data = {}
    for split, rows in splits.items():
        data[f"x_{split}"] = ((tumours.data[rows] - mean) / deviation).astype(np.float32)
        data[f"y_{split}"] = 1 - tumours.target[rows].astype(np.int64)
    return data


def build() -> keras.Model:
    """30 numbers to one probability: 4 thousand parameters."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((30,), name="measurements"),
            layers.Dense(64, activation="relu", name="first"),
            layers.Dropout(0.4, name="first_dropout"),
            layers.Dense(32, activation="relu", name="second"),
            layers.Dropout(0.4, name="second_dropout"),
            layers.Dense(1, activation="sigmoid", name="malignant"),
        ],
        name="tumours",
    )


def train(data: Data, epochs: int) -> keras.Model:
    """A trained model, without the optimizer's state (it would triple the file)."""
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    model = build()
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
    model.fit(data["x_train"], data["y_train"], batch_size=16, epochs=epochs, verbose=0)
    scores = model.predict(data["x_test"], verbose=0)
    print(f"AUC {roc_auc_score(data['y_test'], scores):.4f} on {len(scores)} test samples")
    bare = build()
    bare.set_weights(model.get_weights())
    return bare


def export(model: keras.Model, folder: Path) -> None:
    """Write *model* as .keras and, with a batch of one, as .tflite."""
    spec = keras.InputSpec(shape=(1, 30), dtype="float32", name="measurements")
    model.save(folder / "tumours.keras")
    with tempfile.TemporaryDirectory() as saved:
        model.export(saved, input_signature=[spec], verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved)
        (folder / "tumours.tflite").write_bytes(converter.convert())


def main() -> None:
    """Train and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the files")
    parser.add_argument("--epochs", type=int, default=40)
    options = parser.parse_args()
    data = load_data()
    np.savez_compressed(options.out / "data.npz", **data)
    export(train(data, options.epochs), options.out)


if __name__ == "__main__":
    main()
