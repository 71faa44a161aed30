"""A folded model with fake quantization where the converter expects it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.training.arrays import output_names
from pytest_edgebudget.training.graphs import consumers, copied, rebuilt

WEIGHTED = ("Conv1D", "Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "Dense")
MOVING = (
    *("MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"),
    *("AveragePooling1D", "AveragePooling2D", "Flatten", "Reshape", "Permute", "Identity"),
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout"),
    *("ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D"),
)
"""Layers whose output has the scale of their input: the converter hands it on."""

RANGED = (
    *("Add", "Subtract", "Multiply", "Concatenate", "Average", "Maximum", "Minimum"),
    *("GlobalAveragePooling1D", "GlobalAveragePooling2D", "UpSampling2D", "Rescaling"),
    *("ReLU", "LeakyReLU", "ELU", "Activation", "Softmax"),
)
"""Layers whose output gets a range of its own."""

FUSED = ("linear", "relu", "relu6")
"""Activations that the converter makes part of the op before them."""

FIXED = ("softmax", "sigmoid", "tanh")
"""Activations whose range the converter knows."""

ACTIVATIONS = (*FUSED, *FIXED, "silu", "swish", "leaky_relu", "elu", "hard_silu")


def quantized(model: Any, step: object, ranges: Mapping[str, Any] | None = None) -> Any:
    """
    The `folded` *model* with fake quantization: of the weights, and behind the layers.

    Layers with weights are copies, each named as in *model*. With *ranges* (from
    `ranges_of`) the activations' ranges are those, and do not move.

    Raises:
        BuildError: a layer that nobody knows how to quantize.
    """
    return _Quantizer(step, ranges).build(model)


def ranges_of(model: Any) -> dict[str, tuple[float, float]]:
    """What the fake quantization of a trained model learnt, by its layers' names."""
    from pytest_edgebudget.training.fake_quant import FakeQuant

    return {layer.name: layer.range() for layer in model.layers if isinstance(layer, FakeQuant)}


def take_weights(model: Any, trained: Any) -> None:
    """Give *model* the weights of the `quantized` model that was *trained*."""
    from pytest_edgebudget.training.fake_quant import QuantizedWeights

    for layer in trained.layers:
        if isinstance(layer, QuantizedWeights):
            model.get_layer(layer.layer.name).set_weights(layer.layer.get_weights())


class _Quantizer:
    def __init__(self, step: object, ranges: Mapping[str, Any] | None) -> None:
        self.step = step
        self.ranges = ranges
        self._copies: dict[int, Any] = {}
        self._inputs: dict[int, Any] = {}
        self._names: set[str] = set()

    def build(self, model: Any) -> Any:
        """The model anew; to be trained, its outputs have the names of the old ones."""
        import keras

        new = rebuilt(model, self._call)
        if self.ranges:
            return keras.Model(new.input, keras.tree.pack_sequence_as(model.output, new.outputs))
        return keras.Model(new.input, dict(zip(output_names(model), new.outputs, strict=True)))

    def _call(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs = {key: value for key, value in kwargs.items() if key not in ("mask", "training")}
        args, kwargs = self._quantized_inputs(args), self._quantized_inputs(kwargs)
        kind = type(layer).__name__
        if kind in WEIGHTED:
            return self._weighted(layer, args[0])
        if kind in MOVING:
            return self._copy(layer)(*args, **kwargs)
        if kind in RANGED:
            activation = self._activation(layer)
            return self._behind(layer, self._copy(layer)(*args, **kwargs), activation)
        raise BuildError(
            f"{self.step} does not know how to train {kind} ({layer.name}) for int8",
            "finetune+int8 quantizes after training what the runtime can quantize",
        )

    def _weighted(self, layer: Any, inputs: Any) -> Any:
        import keras

        from pytest_edgebudget.training.fake_quant import QuantizedWeights

        activation = self._activation(layer)
        fused = activation if activation in FUSED else "linear"
        new = self._copies.get(id(layer))
        if new is None:
            inner = copied(layer, activation=fused)
            new = QuantizedWeights(inner, name=f"{layer.name}_in_int8")
            new.build(inputs.shape)
            inner.set_weights(layer.get_weights())
            self._copies[id(layer)] = new
        result = new(inputs)
        if activation in FUSED:
            return self._behind(layer, result, activation)
        ranged = self._range(result, f"{layer.name}_sum")
        applied = keras.layers.Activation(activation, name=f"{layer.name}_activation")(ranged)
        return self._behind(layer, applied, activation)

    def _behind(self, layer: Any, tensor: Any, activation: str) -> Any:
        """A range for what *layer* gives, unless the converter has it from elsewhere."""
        after = consumers(layer)
        fuses = activation == "linear" and len(after) == 1 and _is_relu(after[0])
        if activation in FIXED or fuses:
            return tensor
        return self._range(tensor, layer.name)

    def _range(self, tensor: Any, name: str) -> Any:
        from pytest_edgebudget.training.fake_quant import FakeQuant

        key, number = f"{name}_range", 1
        while key in self._names:
            number += 1
            key = f"{name}_range_{number}"
        self._names.add(key)
        return FakeQuant(fixed=self.ranges[key] if self.ranges else None, name=key)(tensor)

    def _quantized_inputs(self, given: Any) -> Any:
        """Inputs of the model get a range, too: once each."""
        import keras

        def ranged(tensor: Any) -> Any:
            maker = getattr(getattr(tensor, "_keras_history", None), "operation", None)
            if type(maker).__name__ != "InputLayer":
                return tensor
            if id(tensor) not in self._inputs:
                self._inputs[id(tensor)] = self._range(tensor, tensor.name)
            return self._inputs[id(tensor)]

        return keras.tree.map_structure(ranged, given)

    def _copy(self, layer: Any) -> Any:
        if not hasattr(layer, "get_weights"):
            return layer  # an operation such as a + b
        if id(layer) not in self._copies:
            self._copies[id(layer)] = copied(layer)
        return self._copies[id(layer)]

    def _activation(self, layer: Any) -> str:
        kind = type(layer).__name__
        named = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "Softmax": "softmax"}
        if kind in named:
            return named[kind]
        name = str(getattr(getattr(layer, "activation", None), "__name__", "linear"))
        if name not in ACTIVATIONS:
            raise BuildError(
                f"{self.step} does not know how to train the activation {name} ({layer.name})"
                " for int8",
                "relu, relu6, sigmoid, tanh, softmax and silu are known",
            )
        return name


def _is_relu(layer: Any) -> bool:
    """Whether the converter makes *layer* part of the op before it."""
    if type(layer).__name__ == "ReLU":
        return layer.max_value in (None, 6) and not layer.negative_slope and not layer.threshold
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    return type(layer).__name__ == "Activation" and name in ("relu", "relu6")
