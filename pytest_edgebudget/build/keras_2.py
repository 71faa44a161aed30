"""A model of tf-keras (Keras 2) made one of Keras 3, so that it can be trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

UNREAD = ("_initializer", "_regularizer", "_constraint")
"""Ends of keys that say how weights began or what held them, in words of Keras 2."""

GONE = {
    "DepthwiseConv2D": ("groups",),
    "BatchNormalization": ("renorm", "fused", "virtual_batch_size"),
}
"""Keys by the kind of layer that Keras 3 has no more."""

CLOSE = 1e-4
"""Of the largest output: so far may answers be apart."""


def in_keras_3(model: Any, source: Path, folder: Path) -> Any | None:
    """
    The *model* of tf-keras, from the `.h5` *source*, as one of Keras 3; None where it cannot be.

    Both give the same for random inputs. Penalties on weights are left out.
    """
    import keras

    if source.suffix != ".h5":
        return None
    path = Path(shutil.copy(source, folder / "of_keras_2.h5"))
    try:
        _rewrite(path)
        made = keras.saving.load_model(str(path), compile=False)
        return made if _alike(model, made) else None
    except Exception:  # what Keras 3 cannot read it tells in any way
        return None
    finally:
        path.unlink()


def _rewrite(path: Path) -> None:
    import h5py

    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        _forget(config)
        file.attrs["model_config"] = json.dumps(config)
        file.attrs.pop("training_config", None)


def _forget(part: Any) -> None:
    """Take out of a configuration what Keras 3 does not read."""
    if isinstance(part, dict):
        kind, config = part.get("class_name"), part.get("config")
        if isinstance(kind, str) and isinstance(config, dict):
            gone = GONE.get(kind, ())
            for key in [key for key in config if key.endswith(UNREAD) or key in gone]:
                del config[key]
        part = list(part.values())
    for each in part if isinstance(part, list) else ():
        _forget(each)


def _alike(old: Any, new: Any) -> bool:
    """Whether both give the same for random inputs."""
    import numpy as np

    draw = np.random.default_rng(0)
    shapes = [tuple(tensor.shape)[1:] for tensor in old.inputs]
    inputs = [draw.normal(size=(4, *(size or 8 for size in s))).astype("float32") for s in shapes]
    given = inputs if len(inputs) > 1 else inputs[0]
    pairs = zip(_list(old(given, training=False)), _list(new(given, training=False)), strict=True)
    return all(
        np.abs(np.asarray(a) - np.asarray(b)).max()
        <= CLOSE * max(np.abs(np.asarray(a)).max(), 1e-6)
        for a, b in pairs
    )


def _list(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]
