"""Fewer inputs into the first dense layer: by a projection, or by a choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.facts import Array
from pytest_edgebudget.surgery.rebuild import Call, Layer, Model, again, calls, rebuild

FRONT = {
    *("Flatten", "Reshape", "Rescaling", "Normalization", "BatchNormalization", "Identity"),
    *("Dropout", "GaussianNoise", "GaussianDropout", "ops.ConvertToTensor"),
}
"""Layers that may lie between the input and the first dense layer."""


@dataclass(frozen=True, slots=True)
class Front:
    """The first dense layer of a model; the vectors that it reads are made by *features*."""

    dense: Layer
    features: Model

    @property
    def width(self) -> int:
        """How many numbers the layer reads."""
        return int(self.dense.kernel.shape[0])


def front(model: Model, step: object) -> Front:
    """
    The first dense layer of a flat *model*, and what is before it.

    Raises:
        BuildError: something else reads the input, or several layers do.
    """
    import keras

    inputs, found, _ = calls(model)
    if len(inputs) != 1:
        raise BuildError(
            f"{step} reduces a model's only input, and this one has {len(inputs)}",
            "reduce each input before the model",
        )
    name = _first_dense(inputs[0], found, step)
    dense = model.get_layer(name)
    return Front(dense, keras.Model(getattr(model, "_inputs_struct", inputs[0]), dense.input))


def _first_dense(tensor: Any, found: Sequence[Call], step: object) -> str:
    while True:
        readers = [call for call in found if any(tensor is each for each in call.inputs)]
        kinds = [f"{call.op.name} ({call.kind.removeprefix('ops.')})" for call in readers]
        if len(readers) == 1 and readers[0].kind == "Dense" and len(tensor.shape) == 2:
            return str(readers[0].op.name)
        if len(readers) != 1 or readers[0].kind not in FRONT:
            raise BuildError(
                f"{step} needs a model whose first layer is dense and reads one vector;"
                f" here the input goes into {' and '.join(kinds) or 'the output'}",
                "channels(0.3) and low_rank(0.9) make other models smaller",
            )
        tensor = readers[0].outputs[0]


def project(model: Model, front: Front, components: Array, mean: Array) -> Model:
    """
    *model* with a dense layer in front that projects onto *components*, and trains no more.

    *components*: (n, width), orthonormal rows; *mean*: (width,), taken off before. The
    dense layer behind starts where it answers as before for what was projected.
    """
    import keras

    kernel, bias = _weights(front.dense)
    layer = keras.layers.Dense(len(components), name=_free(model, "pca"), trainable=False)
    new = _in_front(model, front.dense, layer)
    layer.kernel.assign(components.T)
    layer.bias.assign(-mean @ components.T)
    _assign(new.get_layer(front.dense.name), components @ kernel, bias + mean @ kernel)
    return new


def choose(model: Model, front: Front, places: Sequence[int], mean: Array) -> Model:
    """
    *model* that reads the inputs at *places* only, by a gather.

    The dense layer behind starts where it answers as if the others were at their *mean*.
    """
    import keras

    kernel, bias = _weights(front.dense)
    kept = list(map(int, places))
    others = np.setdiff1d(np.arange(front.width), kept)

    def gather(tensor: Any) -> Any:
        return keras.ops.take(tensor, kept, axis=-1)

    new = _in_front(model, front.dense, gather)
    shifted = bias + mean[others] @ kernel[others]
    _assign(new.get_layer(front.dense.name), kernel[kept], shifted)
    return new


def _in_front(model: Model, dense: Layer, first: Any) -> Model:
    """*model* with *first* before its layer *dense*."""

    def call(op: Layer, *args: Any, **kwargs: Any) -> Any:
        return op(first(*args)) if op.name == dense.name else op(*args, **kwargs)

    def clone(layer: Layer) -> Layer:
        # Without a bias the layer could not take over what was cut away.
        return again(layer, use_bias=True) if layer.name == dense.name else again(layer)

    return rebuild(model, clone, call)


def _weights(dense: Layer) -> tuple[Array, Array]:
    kernel = np.asarray(dense.kernel, dtype=np.float64)
    bias = np.asarray(dense.bias, dtype=np.float64) if dense.use_bias else np.zeros(dense.units)
    return kernel, bias


def _assign(dense: Layer, kernel: Array, bias: Array) -> None:
    dense.kernel.assign(kernel)
    dense.bias.assign(bias)


def _free(model: Model, name: str) -> str:
    """*name*, or with underscores behind it where a layer has it already."""
    names = {layer.name for layer in model.layers}
    while name in names:
        name += "_"
    return name


def vectors(front: Front, inputs: Sequence[Array]) -> Array:
    """What the first dense layer reads of *inputs*, in double precision: (samples, width)."""
    found = front.features.predict(inputs[0], batch_size=256, verbose=0)
    return np.asarray(found, dtype=np.float64)


def check_count(count: int, width: int, step: object) -> None:
    """Raises BuildError where *count* of *width* inputs is not fewer."""
    if count >= width:
        raise BuildError(
            f"{step}: the first dense layer reads {width} numbers, and {count} are not fewer",
            f"such as {getattr(step, 'name', step)}({max(1, width // 2)})",
        )
