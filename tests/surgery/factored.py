"""
Factor networks, and compare with the whole network whose kernels are numpy's truncated SVD.

    python factored.py OUT.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np
from cut import flat_outputs
from graphs import GRAPHS, inputs_of, random
from keras import layers

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.surgery.factors import factor
from pytest_edgebudget.surgery.rebuild import functional

ENERGIES = {
    "wide": 0.5,
    "windows": 0.3,
    "residual": 0.3,
    "inception": 0.3,
    "shared": 0.2,
    "nested": 0.3,
}


def wide() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((24,), name="x"),
            layers.Dense(40, activation="relu", name="first"),
            layers.Dense(40, use_bias=False, activation="relu", name="second"),
            layers.Dense(3, activation="softmax", name="last"),
        ]
    )


def windows() -> keras.Model:
    x = keras.Input((15, 13, 4), name="x")
    y = layers.Conv2D(24, (5, 3), strides=(2, 1), padding="same", activation="relu", name="a")(x)
    y = layers.Conv2D(24, 3, dilation_rate=2, name="b")(y)
    y = layers.Conv2D(24, (1, 3), activation="relu", name="row")(y)
    y = layers.Conv2D(30, 1, strides=2, activation="relu", name="point")(y)
    y = layers.Reshape((-1, 30))(y)
    y = layers.Conv1D(20, 3, strides=2, padding="causal", activation="relu", name="line")(y)
    return keras.Model(x, layers.Dense(4, name="end")(layers.GlobalAveragePooling1D()(y)))


def truncated(kernel: np.ndarray, way: str, rank: int) -> np.ndarray:
    """The kernel that numpy's SVD leaves of it, by Eckart and Young the best of that rank."""
    if way == "separated":
        high, wide, inputs, filters = kernel.shape
        matrix = np.concatenate(
            [np.concatenate([kernel[i, j] for j in range(wide)], axis=1) for i in range(high)]
        )
    else:
        matrix = np.concatenate(list(kernel.reshape(-1, *kernel.shape[-2:])))
    u, s, v = np.linalg.svd(matrix)
    best = (u[:, :rank] * s[:rank]) @ v[:rank]
    if way == "separated":
        return np.stack(
            [
                np.stack(
                    [
                        best[i * inputs : (i + 1) * inputs, j * filters : (j + 1) * filters]
                        for j in range(wide)
                    ]
                )
                for i in range(high)
            ]
        )
    return best.reshape(kernel.shape)


def record(model: keras.Model, energy: float, folder: Path) -> dict:
    flat, inputs = functional(model), inputs_of(model, seed=2)
    made = factor(flat, energy)
    made.model.save(folder / "factored.keras")
    whole = flat_outputs(model, inputs)
    factors = flat_outputs(keras.saving.load_model(folder / "factored.keras"), inputs)
    kept = {}
    for name, split in made.splits.items():
        kernel = flat.get_layer(name).kernel
        values = np.asarray(kernel)
        best = truncated(values, split.way, split.rank)
        kept[name] = [float((best**2).sum() / (values**2).sum()), split.rank, split.way]
        kernel.assign(best)
    reference = flat_outputs(flat, inputs)
    scale = float(np.abs(reference).max())
    return {
        "apart": float(np.abs(factors - reference).max()) / scale,
        "changed": float(np.abs(whole - reference).max()) / scale,
        "kept": kept,
        "parameters": [model.count_params(), made.model.count_params()],
        "layers": [layer.name for layer in made.model.layers],
        "notes": list(made.notes),
    }


def main() -> None:
    out = Path(sys.argv[1])
    builders = {**GRAPHS, "wide": wide, "windows": windows}
    results: dict = {
        name: record(random(builders[name](), seed=9), energy, out.parent)
        for name, energy in ENERGIES.items()
    }
    try:
        factor(functional(random(wide(), seed=9)), 1.0)
    except BuildError as error:
        results["refused"] = f"{error.message}|{error.hint}"
    out.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
