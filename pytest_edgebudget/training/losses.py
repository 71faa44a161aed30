"""What a model is trained for: found from its last layers and from the labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.training.arrays import Samples, output_names

PASSING = ("Reshape", "Flatten", "Dropout", "Identity", "Permute")
"""Layers behind which the activation of the layer before is still to be seen."""


@dataclass(frozen=True, slots=True)
class Target:
    """
    One output: its *labels* and what is compared with them.

    *kind*: "classes" (one label a sample), "chances" (0 or 1 for each value) or
    "values". *activation*: "softmax", "sigmoid" or "" (the output is as it is).
    """

    labels: Array
    kind: str
    activation: str

    def loss(self) -> Any:
        """Cross-entropy, binary cross-entropy, or the mean squared error."""
        import keras

        if self.kind == "classes":
            logits = self.activation != "softmax"
            return keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
        if self.kind == "chances":
            logits = self.activation != "sigmoid"
            return keras.losses.BinaryCrossentropy(from_logits=logits)
        return keras.losses.MeanSquaredError()


def targets(model: Any, samples: Samples, step: object) -> Mapping[str, Target]:
    """
    What each output of *model* is trained for.

    Integer labels are classes (or 0 and 1 for a single output); other numbers are
    values to be met; without labels a model whose output looks like its input is
    trained to reconstruct it.

    Raises:
        BuildError: labels do not fit the outputs.
    """
    if not samples.labels:
        return _reconstruction(model, samples, step)
    return {
        name: _target(tensor, samples.labels[name], step)
        for name, tensor in zip(output_names(model), model.outputs, strict=True)
    }


def _reconstruction(model: Any, samples: Samples, step: object) -> Mapping[str, Target]:
    if len(model.outputs) == len(model.inputs) == 1:
        (given,) = samples.inputs
        if tuple(model.outputs[0].shape[1:]) == given.shape[1:]:
            return {output_names(model)[0]: Target(given, "values", "")}
    raise BuildError(
        f"{step} needs labels, but the data have no y_train",
        "add y_train; only a model that reconstructs its input trains without",
    )


def _target(tensor: Any, labels: Array, step: object) -> Target:
    activation = activation_of(tensor)
    size = tensor.shape[-1]
    if labels.dtype.kind == "b":
        labels = labels.astype("uint8")
    if labels.dtype.kind in "iu" and size != 1:
        one_each = labels.reshape(labels.shape[:-1]) if labels.shape[-1:] == (1,) else labels
        if one_each.ndim == len(tensor.shape) - 1:
            return _classes(one_each, size, activation, step)
    shaped = _shaped(tensor, labels, step)
    if _only_0_and_1(shaped) and (activation == "sigmoid" or labels.dtype.kind in "iu"):
        return Target(shaped.astype("float32"), "chances", activation)
    if labels.dtype.kind in "iu" and size == 1 and activation == "sigmoid":
        raise _out_of_range(labels, 2, step)
    return Target(shaped.astype("float32"), "values", activation)


def _classes(labels: Array, count: int, activation: str, step: object) -> Target:
    if labels.min() < 0 or labels.max() >= count:
        raise _out_of_range(labels, count, step)
    return Target(labels.astype("int64"), "classes", activation)


def _out_of_range(labels: Array, count: int, step: object) -> BuildError:
    wrong = int(labels.max()) if labels.max() >= count else int(labels.min())
    return BuildError(
        f"{step}: y_train holds the label {wrong}, but the model knows 0 to {count - 1}",
        "number the classes from 0 in the order of the model's outputs",
    )


def _shaped(tensor: Any, labels: Array, step: object) -> Array:
    """Labels of the output's shape; a last axis of 1 may be left out."""
    shape = tuple(tensor.shape[1:])
    given = labels.shape[1:]
    if given == shape:
        return labels
    if shape[-1:] == (1,) and given == shape[:-1]:
        return labels[..., None]
    raise BuildError(
        f"{step}: a label of y_train has shape {given}, the model's output {shape}",
        "labels are one class a sample (whole numbers), or values of the output's shape",
    )


def _only_0_and_1(labels: Array) -> bool:
    return bool(((labels == 0) | (labels == 1)).all())


def activation_of(tensor: Any) -> str:
    """The word softmax or sigmoid where the layer that made *tensor* ends so, else none."""
    history: Any = tensor._keras_history
    layer = history.operation
    kind = type(layer).__name__
    if kind == "Softmax":
        return "softmax"
    if hasattr(layer, "outputs") and hasattr(layer, "layers"):  # a model inside the model
        return activation_of(layer.outputs[history.tensor_index])
    if kind in PASSING:
        return activation_of(layer._inbound_nodes[history.node_index].input_tensors[0])
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    return name if name in ("softmax", "sigmoid") else ""
