"""
Train the digits model and write every file of this folder.

    python examples/digits/train.py

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
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 7
HERE = Path(__file__).parent
Data = Mapping[str, np.ndarray]


def load_data() -> Data:
    """
    The 1797 digits in four stratified splits: train, val, calibration, test.

    Arrays ``x_SPLIT``, float32 of shape (n, 8, 8, 1) in 0..1, and ``y_SPLIT``,
    integers 0..9 of shape (n,).
    """
    digits = load_digits()
    rest = (digits.images[..., np.newaxis] / 16).astype(np.float32), digits.target.astype(np.int64)
    data = {}
    for split, samples in {"test": 540, "val": 200, "calibration": 200}.items():
        x_rest, x, y_rest, y = train_test_split(
            *rest, test_size=samples, stratify=rest[1], random_state=SEED
        )
        data |= {f"x_{split}": x, f"y_{split}": y}
        rest = x_rest, y_rest
    return data | {"x_train": rest[0], "y_train": rest[1]}


def build() -> keras.Model:
    """Two convolutions and two dense layers: 18 thousand parameters."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(16, 3, padding="same", use_bias=False, name="edges"),
            layers.BatchNormalization(name="edges_norm"),
            layers.ReLU(name="edges_relu"),
            layers.Conv2D(32, 3, padding="same", use_bias=False, name="strokes"),
            layers.BatchNormalization(name="strokes_norm"),
            layers.ReLU(name="strokes_relu"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flatten"),
            layers.Dense(26, activation="relu", name="hidden"),
            layers.Dropout(0.3, name="dropout"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )


def train(data: Data, epochs: int) -> keras.Model:
    """A trained model, without the optimizer's state (it would triple the file)."""
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    model = build()
    steps = epochs * -(-len(data["x_train"]) // 32)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(data["x_train"], data["y_train"], batch_size=32, epochs=epochs, verbose=0)
    _, accuracy = model.evaluate(data["x_test"], data["y_test"], verbose=0)
    print(f"accuracy {accuracy:.4f} on {len(data['x_test'])} test samples")
    bare = build()
    bare.set_weights(model.get_weights())
    return bare


def export(model: keras.Model, folder: Path) -> None:
    """Write *model* as .keras, .tflite and .onnx, the latter two with a batch of one."""
    # Without a fixed batch, the graph computes its shapes while it runs, and
    # no runtime can plan the memory ahead.
    signature = [keras.InputSpec(shape=(1, *model.input_shape[1:]), dtype="float32", name="image")]
    model.save(folder / "digits.keras")
    model.export(folder / "digits.onnx", format="onnx", input_signature=signature, verbose=False)
    with tempfile.TemporaryDirectory() as saved:
        model.export(saved, input_signature=signature, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved)
        (folder / "digits.tflite").write_bytes(converter.convert())


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
