"""
Layers that compute as int8 will: weights and activations rounded to 256 steps.

The ops are TensorFlow's own fake quantization, which its converter understands:
symmetric weights, one scale an output channel; activations from a lowest to a highest
value. This module imports Keras: only child processes import it.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

DECAY = 0.99
"""Of the moving lowest and highest value: about the last hundred steps count."""

SMALLEST = 1e-6
"""The least range: a channel of zeros must not have the scale 0."""


class FakeQuant(keras.layers.Layer):  # type: ignore[misc]
    """
    Rounds to 256 steps between a lowest and a highest value, which move while it trains.

    *fixed*: a range that was learnt; it does not move any more.
    """

    def __init__(self, fixed: tuple[float, float] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fixed = fixed

    def build(self, shape: Any) -> None:
        """The range, and whether anything was seen yet."""
        if self.fixed is None:
            names = ("lowest", "highest", "seen")
            self.lowest, self.highest, self.seen = (
                self.add_weight(shape=(), initializer="zeros", trainable=False, name=name)
                for name in names
            )
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Same shape as the inputs."""
        if self.fixed is not None:
            low, high = self.fixed
            return tf.quantization.fake_quant_with_min_max_args(inputs, low, high)
        if training:
            self._learn(inputs)
        return tf.quantization.fake_quant_with_min_max_vars(
            inputs, self.lowest.value, self.highest.value
        )

    def _learn(self, inputs: Any) -> None:
        first = self.seen.value == 0
        for variable, found in (
            (self.lowest, tf.minimum(tf.reduce_min(inputs), 0.0)),
            (self.highest, tf.maximum(tf.reduce_max(inputs), SMALLEST)),
        ):
            found = tf.stop_gradient(found)
            moved = variable.value * DECAY + found * (1 - DECAY)
            variable.assign(tf.where(first, found, moved))
        self.seen.assign(1.0)

    def range(self) -> tuple[float, float]:
        """Lowest and highest, as learnt."""
        return float(self.lowest.numpy()), float(self.highest.numpy())


class QuantizedWeights(keras.layers.Layer):  # type: ignore[misc]
    """
    Calls *layer* with its kernel rounded to 255 steps, symmetric about 0.

    Per output channel; a Dense layer's and a transposed convolution's as a whole, since
    the converter transposes them.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, shape: Any) -> None:
        """The layer's own weights."""
        if not self.layer.built:
            self.layer.build(shape)
        self.built = True

    def compute_output_shape(self, shape: Any) -> Any:
        """As the layer's."""
        return self.layer.compute_output_shape(shape)

    def call(self, inputs: Any) -> Any:
        """As the layer, with other weights."""
        if type(self.layer).__name__ == "Conv1D":
            return _convolved(self.layer, inputs)
        kernel = self.layer.kernel
        rounded = rounded_kernel(kernel.value, type(self.layer).__name__)
        trainable = [
            rounded if each is kernel else each.value for each in self.layer.trainable_variables
        ]
        others = [
            rounded if each is kernel else each.value for each in self.layer.non_trainable_variables
        ]
        return self.layer.stateless_call(trainable, others, inputs)[0]


def _convolved(layer: Any, inputs: Any) -> Any:
    """A Conv1D as the Conv2D that it becomes: the kernel is rounded in that shape."""
    kernel = _per_channel(layer.kernel.value[None])
    padding = layer.padding
    if padding == "causal":
        left = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
        inputs, padding = tf.pad(inputs, [[0, 0], [left, 0], [0, 0]]), "valid"
    result = keras.ops.conv(
        tf.expand_dims(inputs, 1),
        kernel,
        strides=(1, *layer.strides),
        padding=padding,
        dilation_rate=(1, *layer.dilation_rate),
    )
    if layer.use_bias:
        result = result + layer.bias.value
    return layer.activation(keras.ops.squeeze(result, axis=1))


def rounded_kernel(kernel: Any, kind: str) -> Any:
    """*kernel* of a layer of that *kind* with the values that int8 can hold."""
    if kind in ("Dense", "Conv2DTranspose"):
        high = tf.maximum(tf.reduce_max(tf.abs(kernel)), SMALLEST)
        return tf.quantization.fake_quant_with_min_max_vars(
            kernel, -tf.stop_gradient(high), tf.stop_gradient(high), narrow_range=True
        )
    if kind.startswith("Depthwise"):
        shape = kernel.shape
        flat = tf.reshape(kernel, [*shape[:-2], shape[-2] * shape[-1]])
        return tf.reshape(_per_channel(flat), shape)
    return _per_channel(kernel)


def _per_channel(kernel: Any) -> Any:
    axes = list(range(len(kernel.shape) - 1))
    high = tf.maximum(tf.reduce_max(tf.abs(kernel), axis=axes), SMALLEST)
    high = tf.stop_gradient(high)
    return tf.quantization.fake_quant_with_min_max_vars_per_channel(
        kernel, -high, high, narrow_range=True
    )
