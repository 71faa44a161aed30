"""Keras models read and saved as SavedModels with a batch of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import BuildError, MissingExtra
from pytest_edgebudget.passes._libraries import load
from pytest_edgebudget.training.files import save_with_batch_of_one, write_model

CUSTOM = 'a model with code of its own: path = "package.module:function" that returns it'


def read(path: Path) -> Any:
    """
    Load *path* with Keras 3, or where that fails with Keras 2 (tf-keras).

    Old ``.h5`` files hold layers whose configuration Keras 3 does not read.

    Raises:
        BuildError: neither can.
    """
    purpose = f"reading {path.name}"
    keras = load("keras", purpose)
    try:
        return keras.saving.load_model(str(path), compile=False)
    except Exception as error:  # Keras raises anything
        first = _line(error)
    if path.suffix == ".h5":
        try:
            return load("tf_keras", purpose).models.load_model(str(path), compile=False)
        except MissingExtra:
            raise
        except Exception as error:
            first = f"{first}; tf-keras: {_line(error)}"
    raise BuildError(f"Keras cannot read {path}: {first}", CUSTOM)


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"


def is_keras(value: object) -> bool:
    """Whether *value* is a model of Keras 3 or tf-keras, without importing either."""
    names = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(value).__mro__}
    return bool(names & {"keras.Model", "tf_keras.Model"})


def save_file(model: Any, path: Path) -> dict[str, str | list[str]]:
    """
    Save *model* as a `.keras` file, the same bytes each time; return where it is.

    Raises BuildError for a model of Keras 2, which cannot be saved so.
    """
    if is_old(model):
        raise BuildError("a model of tf-keras cannot become a .keras file", "build it in Keras 3")
    write_model(model, path)
    return {"path": str(path), "notes": [], "trainable": str(path)}


def is_old(model: Any) -> bool:
    """Whether *model* is of tf-keras."""
    return any(kind.__module__.startswith("tf_keras") for kind in type(model).__mro__)


def save(model: Any, folder: Path) -> Path:
    """Save *model* as a SavedModel whose signature takes one sample."""
    if is_old(model):
        _save_old(model, folder)
    else:
        save_with_batch_of_one(model, folder)
    return folder


def _save_old(model: Any, folder: Path) -> None:
    import tensorflow as tf

    specs = [
        tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype, name=name)
        for name, tensor in zip(model.input_names, model.inputs, strict=True)
    ]

    @tf.function(input_signature=specs)  # type: ignore[untyped-decorator]
    def serve(*tensors: Any) -> Any:
        outputs = model(tensors[0] if len(tensors) == 1 else list(tensors), training=False)
        values = outputs if isinstance(outputs, list | tuple) else [outputs]
        return dict(zip(model.output_names, values, strict=True))

    tf.saved_model.save(model, str(folder), signatures=serve.get_concrete_function())
