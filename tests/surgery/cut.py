"""
Cut channels out of networks, and compare with the whole network, masked.

    python cut.py OUT.json

The results, by the case: how far both are apart, what has which width, what was said.

The mask is set in the original: what makes a channel that was cut gets no weights and no
bias, what scales it no scale and no shift. Then it adds nothing to what comes behind.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np
from graphs import GRAPHS, inputs_of, random

from pytest_edgebudget.surgery.narrow import narrow
from pytest_edgebudget.surgery.ranking import by_l1, by_scale
from pytest_edgebudget.surgery.rebuild import functional

MASKED = ("kernel", "pointwise_kernel", "embeddings", "bias", "gamma", "beta")
CASES = ((0.3, 1), (0.6, 2))
BOTH = ("chain", "residual", "inception", "dense_net", "two_outputs")
"""Networks that both cases are tried on; the others see the first only."""


def masked(model: keras.Model, kept: dict) -> keras.Model:
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in copy.layers:
        if layer.name not in kept or not layer.weights:
            continue
        depthwise = type(layer).__name__.startswith("Depthwise")
        stay = kept[layer.name].given
        for name in MASKED:
            variable = getattr(layer, name, None)
            if variable is None or (depthwise and name == "kernel"):
                continue
            values = np.array(variable)
            axis = -2 if "Transpose" in type(layer).__name__ and name == "kernel" else -1
            gone = np.setdiff1d(np.arange(values.shape[axis]), stay)
            np.moveaxis(values, axis, 0)[gone] = 0
            variable.assign(values)
    return copy


def flat_outputs(model: keras.Model, inputs: list) -> np.ndarray:
    found = keras.tree.flatten(model(inputs if len(inputs) > 1 else inputs[0], training=False))
    return np.concatenate([np.asarray(each).reshape(len(inputs[0]), -1) for each in found], axis=1)


def record(model: keras.Model, fraction: float, multiple: int, by, folder: Path) -> dict:
    inputs = inputs_of(model, seed=1)
    before = [weight.copy() for weight in model.get_weights()]
    flat = functional(model)
    made = narrow(flat, by(flat), fraction, multiple=multiple)
    made.model.save(folder / "cut.keras")
    whole = flat_outputs(model, inputs)
    narrowed = flat_outputs(keras.saving.load_model(folder / "cut.keras"), inputs)
    with_mask = flat_outputs(masked(flat, made.kept), inputs)
    same = all(
        np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True)
    )
    scale = float(np.abs(with_mask).max())
    return {
        "apart": float(np.abs(narrowed - with_mask).max()) / scale,
        "changed": float(np.abs(whole - with_mask).max()) / scale,
        "untouched": same,
        "parameters": [model.count_params(), made.model.count_params()],
        "widths": {
            layer.name: [layer.output.shape[-1], made.model.get_layer(layer.name).output.shape[-1]]
            for layer in flat.layers
            if layer.weights and not isinstance(layer.output, list)
        },
        "outputs": [[list(tensor.shape) for tensor in one.outputs] for one in (model, made.model)],
        "kept": {name: list(map(int, kept.given)) for name, kept in made.kept.items()},
        "notes": list(made.notes),
    }


def main() -> None:
    out = Path(sys.argv[1])
    results = {}
    for name, build in GRAPHS.items():
        for number, (fraction, multiple) in enumerate(CASES if name in BOTH else CASES[:1]):
            by = (by_l1, by_scale)[number % 2]
            model = random(build(), seed=number)
            results[f"{name} {fraction:g} {multiple}"] = record(
                model, fraction, multiple, by, out.parent
            )
    out.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
