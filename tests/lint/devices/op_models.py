"""
Models of a few ops each, converted by TensorFlow: run as a script, in a process of its own.

``python op_models.py FOLDER`` writes ``NAME.KIND.tflite``; KIND is int8, float32,
int16 or dynamic.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

Build = Callable[..., Any]
Shape = tuple[int | None, ...]
SEED = 7


def _weights(*shape: int) -> Any:
    return tf.constant(np.random.default_rng(SEED).normal(0, 0.3, shape).astype(np.float32))


def conv(kernel: int, stride: int, padding: str, dilation: int = 1, wide: int = 1) -> Build:
    def call(x: Any) -> Any:
        y = tf.nn.conv2d(
            x, _weights(kernel, kernel * wide, x.shape[-1], 8), stride, padding, dilations=dilation
        )
        return tf.nn.relu(y + _weights(8))

    return call


def depthwise(stride: int, padding: str = "SAME", multiplier: int = 1) -> Build:
    def call(x: Any) -> Any:
        kernel = _weights(3, 3, x.shape[-1], multiplier)
        y = tf.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], padding)
        return tf.nn.relu6(y + _weights(x.shape[-1] * multiplier))

    return call


def transposed(stride: int, kernel: int, padding: str = "SAME") -> Build:
    def call(x: Any) -> Any:
        b, h, _, c = x.shape
        size = h * stride + (max(kernel - stride, 0) if padding == "VALID" else 0)
        return tf.nn.conv2d_transpose(
            x, _weights(kernel, kernel, 8, c), [b, size, size, 8], stride, padding
        )

    return call


def dense(x: Any) -> Any:
    return tf.nn.relu(tf.linalg.matmul(x, _weights(x.shape[-1], 10)) + _weights(10))


def pool(kind: str, size: int, stride: int, padding: str) -> Build:
    function = {"avg": tf.nn.avg_pool2d, "max": tf.nn.max_pool2d}[kind]
    return lambda x: function(x, size, stride, padding)


def chain(*steps: Build) -> Build:
    """One after the other."""

    def call(x: Any) -> Any:
        for step in steps:
            x = step(x)
        return x

    return call


def resize(method: str, factor: float, **options: bool) -> Build:
    def call(x: Any) -> Any:
        size = [int(x.shape[1] * factor), int(x.shape[2] * factor)]
        raw = {"bilinear": tf.raw_ops.ResizeBilinear, "nearest": tf.raw_ops.ResizeNearestNeighbor}
        return raw[method](images=x, size=size, **options)

    return call


def aligned(factor: int) -> Build:
    """Sizes for which the corners align at an integer factor."""

    def call(x: Any) -> Any:
        size = [(x.shape[1] - 1) * factor + 1, (x.shape[2] - 1) * factor + 1]
        return tf.raw_ops.ResizeBilinear(images=x, size=size, align_corners=True)

    return call


IMAGE = (1, 12, 12, 8)
VECTOR = (1, 24)
OPEN = (None, 12, 12, 8)
MODELS: dict[str, tuple[Build, tuple[Shape, ...]]] = {
    "conv_3": (conv(3, 1, "SAME"), (IMAGE,)),
    "conv_elu_conv": (chain(conv(3, 1, "SAME"), tf.nn.elu, conv(3, 1, "SAME")), (IMAGE,)),
    "conv_far_conv": (
        chain(conv(3, 1, "SAME"), depthwise(4, "VALID"), conv(3, 1, "SAME")),
        (IMAGE,),
    ),
    "conv_top_k": (
        chain(
            conv(3, 2, "SAME"),
            lambda x: tf.reduce_mean(x, [1, 2]),
            lambda x: tf.math.top_k(x, 3)[0],
        ),
        (IMAGE,),
    ),
    "conv_stride_2": (conv(3, 2, "SAME"), (IMAGE,)),
    "conv_stride_4_same": (conv(3, 4, "SAME"), (IMAGE,)),
    "conv_stride_4_valid": (conv(4, 4, "VALID"), (IMAGE,)),
    "conv_stride_4_padded": (conv(5, 4, "SAME"), (IMAGE,)),
    "conv_dilated": (conv(3, 1, "SAME", dilation=2), (IMAGE,)),
    "conv_batch_2": (conv(3, 1, "SAME"), ((2, 12, 12, 8),)),
    "conv_pointwise": (conv(1, 1, "VALID"), (IMAGE,)),
    "depthwise": (depthwise(1), (IMAGE,)),
    "depthwise_stride_2": (depthwise(2), (IMAGE,)),
    "depthwise_stride_4": (depthwise(4, "VALID"), (IMAGE,)),
    "depthwise_multiplier": (depthwise(1, multiplier=2), (IMAGE,)),
    "transposed_2": (transposed(2, 3), (IMAGE,)),
    "transposed_2_valid": (transposed(2, 3, "VALID"), (IMAGE,)),
    "transposed_3": (transposed(3, 3), (IMAGE,)),
    "dense": (dense, (VECTOR,)),
    "dense_wide": (dense, ((1, 600),)),
    "dense_batch_4": (dense, ((4, 24),)),
    "dense_3d": (dense, ((1, 5, 24),)),
    "avg_same_3": (pool("avg", 3, 2, "SAME"), (IMAGE,)),
    "avg_same_9": (pool("avg", 9, 1, "SAME"), (IMAGE,)),
    "avg_valid_12": (pool("avg", 12, 1, "VALID"), (IMAGE,)),
    "avg_stride_4": (pool("avg", 4, 4, "SAME"), (IMAGE,)),
    "avg_stride_4_padded": (pool("avg", 5, 4, "SAME"), (IMAGE,)),
    "max_stride_4_padded": (pool("max", 5, 4, "SAME"), (IMAGE,)),
    "max_unit_stride_2": (pool("max", 1, 2, "SAME"), (IMAGE,)),
    "max_same_3": (pool("max", 3, 2, "SAME"), (IMAGE,)),
    "max_stride_4": (pool("max", 4, 4, "SAME"), (IMAGE,)),
    "max_stride_5_valid": (pool("max", 5, 5, "VALID"), (IMAGE,)),
    "mean_hw": (lambda x: tf.reduce_mean(x, [1, 2]), (IMAGE,)),
    "mean_hw_keep": (lambda x: tf.reduce_mean(x, [1, 2], keepdims=True), (IMAGE,)),
    "mean_depth": (lambda x: tf.reduce_mean(x, 3), (IMAGE,)),
    "mean_batch_2": (lambda x: tf.reduce_mean(x, [1, 2]), ((2, 12, 12, 8),)),
    "mean_w": (lambda x: tf.reduce_mean(x, 2), (IMAGE,)),
    "mean_2d": (lambda x: tf.reduce_mean(x, 1), (VECTOR,)),
    "sum": (lambda x: tf.reduce_sum(x, 3), (IMAGE,)),
    "reduce_max": (lambda x: tf.reduce_max(x, [1, 2]), (IMAGE,)),
    "reduce_min": (lambda x: tf.reduce_min(x, 3), (IMAGE,)),
    "concat_2": (lambda x, y: tf.concat([x, y], 3), (IMAGE, IMAGE)),
    "concat_5": (lambda x, y: tf.concat([x, y, x, y, x], 3), (IMAGE, IMAGE)),
    "concat_batch": (lambda x, y: tf.concat([x, y], 0), (IMAGE, IMAGE)),
    "add": (lambda x, y: tf.nn.relu(x + y), (IMAGE, IMAGE)),
    "add_scalar": (lambda x: x + 1.5, (IMAGE,)),
    "add_channels": (lambda x: x + _weights(8), (IMAGE,)),
    "add_broadcast": (lambda x, y: x + y, (IMAGE, (1, 1, 1, 8))),
    "add_ranks": (lambda x, y: x + y, (IMAGE, (12, 8))),
    "add_5d": (lambda x, y: x + y, ((1, 3, 4, 5, 6), (1, 3, 4, 5, 6))),
    "sub": (lambda x, y: x - y, (IMAGE, IMAGE)),
    "mul": (lambda x, y: x * y, (IMAGE, IMAGE)),
    "mul_outer": (lambda x, y: x * y, ((1, 12, 1, 8), (1, 1, 12, 8))),
    "div": (lambda x, y: x / (tf.abs(y) + 1.0), (IMAGE, IMAGE)),
    "maximum": (tf.maximum, (IMAGE, IMAGE)),
    "minimum": (tf.minimum, (IMAGE, IMAGE)),
    "squared_difference": (tf.math.squared_difference, (IMAGE, IMAGE)),
    "pow": (lambda x: tf.pow(tf.abs(x) + 0.5, 1.7), (IMAGE,)),
    "floor_div": (lambda x, y: tf.math.floordiv(x, tf.abs(y) + 1.0), (IMAGE, IMAGE)),
    "relu": (tf.nn.relu, (IMAGE,)),
    "relu6": (tf.nn.relu6, (IMAGE,)),
    "leaky": (lambda x: tf.nn.leaky_relu(x, 0.2), (IMAGE,)),
    "prelu": (lambda x: tf.nn.relu(x) - _weights(8) * tf.nn.relu(-x), (IMAGE,)),
    "hard_swish": (lambda x: x * tf.nn.relu6(x + 3.0) * (1 / 6), (IMAGE,)),
    "elu": (tf.nn.elu, (IMAGE,)),
    "gelu": (lambda x: tf.nn.gelu(x, approximate=True), (IMAGE,)),
    "exp": (tf.exp, (IMAGE,)),
    "log": (lambda x: tf.math.log(tf.abs(x) + 0.5), (IMAGE,)),
    "sqrt": (lambda x: tf.sqrt(tf.abs(x) + 0.5), (IMAGE,)),
    "rsqrt": (lambda x: tf.math.rsqrt(tf.abs(x) + 0.5), (IMAGE,)),
    "sin": (tf.sin, (IMAGE,)),
    "tanh": (tf.tanh, (IMAGE,)),
    "sigmoid": (tf.sigmoid, (IMAGE,)),
    "softmax": (tf.nn.softmax, (VECTOR,)),
    "softmax_image": (tf.nn.softmax, (IMAGE,)),
    "log_softmax": (tf.nn.log_softmax, (VECTOR,)),
    "abs": (tf.abs, (IMAGE,)),
    "neg": (tf.negative, (IMAGE,)),
    "square": (tf.square, (IMAGE,)),
    "floor": (tf.floor, (IMAGE,)),
    "ceil": (tf.math.ceil, (IMAGE,)),
    "round": (tf.round, (IMAGE,)),
    "l2_norm": (lambda x: tf.math.l2_normalize(x, -1), (IMAGE,)),
    "pad": (lambda x: tf.pad(x, [[0, 0], [1, 2], [2, 1], [0, 0]]), (IMAGE,)),
    "pad_channels": (lambda x: tf.pad(x, [[0, 0], [0, 0], [0, 0], [0, 3]]), (IMAGE,)),
    "pad_value": (
        lambda x: tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=1.0),
        (IMAGE,),
    ),
    "mirror_pad": (lambda x: tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT"), (IMAGE,)),
    "symmetric_pad": (lambda x: tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC"), (IMAGE,)),
    "reshape": (lambda x: tf.reshape(x, [1, -1]), (IMAGE,)),
    "flatten_open": (lambda x: dense(tf.reshape(x, [tf.shape(x)[0], 1152])), (OPEN,)),
    "conv_open": (conv(3, 1, "SAME"), (OPEN,)),
    "squeeze": (lambda x: tf.squeeze(x, [1]), ((1, 1, 12, 8),)),
    "expand": (lambda x: tf.expand_dims(x, 1), (VECTOR,)),
    "transpose_swap": (lambda x: tf.transpose(x, [0, 2, 1, 3]), (IMAGE,)),
    "transpose_nchw": (lambda x: tf.transpose(x, [0, 3, 1, 2]), (IMAGE,)),
    "transpose_batch": (lambda x: tf.transpose(x, [3, 0, 1, 2]), (IMAGE,)),
    "bilinear_2": (resize("bilinear", 2), (IMAGE,)),
    "bilinear_2_half": (resize("bilinear", 2, half_pixel_centers=True), (IMAGE,)),
    "bilinear_3": (resize("bilinear", 3), (IMAGE,)),
    "bilinear_4": (resize("bilinear", 4), (IMAGE,)),
    "bilinear_4_half": (resize("bilinear", 4, half_pixel_centers=True), (IMAGE,)),
    "bilinear_align": (resize("bilinear", 2, align_corners=True), (IMAGE,)),
    "bilinear_align_2": (aligned(2), (IMAGE,)),
    "bilinear_down": (resize("bilinear", 0.5), (IMAGE,)),
    "nearest_2": (resize("nearest", 2), (IMAGE,)),
    "nearest_3": (resize("nearest", 3), (IMAGE,)),
    "slice": (lambda x: tf.slice(x, [0, 1, 1, 0], [1, 5, 5, 8]), (IMAGE,)),
    "slice_2d": (lambda x: tf.slice(x, [0, 2], [1, 9]), (VECTOR,)),
    "strided_1": (lambda x: x[:, 1:9, 1:9, :], (IMAGE,)),
    "strided_2": (lambda x: x[:, ::2, ::2, :], (IMAGE,)),
    "strided_channels": (lambda x: x[:, :, :, ::2], (IMAGE,)),
    "strided_shrink": (lambda x: x[:, 3, :, :], (IMAGE,)),
    "split": (lambda x: tf.split(x, 2, 3), (IMAGE,)),
    "split_8": (lambda x: tf.split(x, 8, 3), (IMAGE,)),
    "split_v": (lambda x: tf.split(x, [3, 5], 3), (IMAGE,)),
    "unstack": (lambda x: tf.unstack(x, axis=1), ((1, 3, 8),)),
    "stack": (lambda x, y: tf.stack([x, y], 1), (VECTOR, VECTOR)),
    "tile": (lambda x: tf.tile(x, [1, 2, 1, 1]), (IMAGE,)),
    "reverse": (lambda x: tf.reverse(x, [1]), (IMAGE,)),
    "argmax": (lambda x: tf.argmax(x, 3, output_type=tf.int32), (IMAGE,)),
    "argmax_64": (lambda x: tf.argmax(x, 1), (VECTOR,)),
    "argmax_wide": (lambda x: tf.argmax(x, 1, output_type=tf.int32), ((1, 200),)),
    "cumsum": (lambda x: tf.cumsum(x, 1), (VECTOR,)),
    "gather": (lambda x: tf.gather(x, [0, 2, 1], axis=1), (IMAGE,)),
    "gather_nd": (lambda x: tf.gather_nd(x, [[0, 2], [0, 1]]), (IMAGE,)),
    "matmul": (lambda x, y: tf.matmul(x, y), ((1, 6, 6), (1, 6, 6))),
    "matmul_batch": (lambda x, y: tf.matmul(x, y), ((3, 6, 6), (3, 6, 6))),
    "cast": (lambda x: tf.cast(tf.cast(x, tf.int32), tf.float32), (IMAGE,)),
    "space_to_depth": (lambda x: tf.nn.space_to_depth(x, 2), (IMAGE,)),
    "depth_to_space": (lambda x: tf.nn.depth_to_space(x, 2), (IMAGE,)),
    "space_to_batch": (lambda x: tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]), (IMAGE,)),
    "greater": (lambda x, y: tf.greater(x, y), (IMAGE, IMAGE)),
    "where": (lambda x, y: tf.where(x > 0.0, x, y), (IMAGE, IMAGE)),
    "top_k": (lambda x: tf.math.top_k(x, 3)[0], (VECTOR,)),
    "one_hot": (lambda x: tf.one_hot(tf.argmax(x, 1, output_type=tf.int32), 24), (VECTOR,)),
}


def _quantized(converter: Any, shapes: tuple[Shape, ...], kind: str) -> None:
    def samples() -> Any:
        random = np.random.default_rng(SEED)
        for _ in range(4):
            sizes = [[size or 1 for size in shape] for shape in shapes]
            yield [random.normal(0, 1, size).astype(np.float32) for size in sizes]

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "dynamic":
        return
    converter.representative_dataset = samples
    ops = tf.lite.OpsSet
    if kind == "int16":
        wide = ops.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [wide, ops.TFLITE_BUILTINS]
    else:
        converter.target_spec.supported_ops = [ops.TFLITE_BUILTINS_INT8, ops.TFLITE_BUILTINS]
        converter.inference_input_type = converter.inference_output_type = tf.int8


def convert(build: Build, shapes: tuple[Shape, ...], kind: str) -> bytes:
    """The model in one of the kinds."""
    specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    module = tf.Module()
    function = tf.function(build).get_concrete_function(*specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    if kind != "float32":
        _quantized(converter, shapes, kind)
    return converter.convert()


def main(folder: Path) -> None:
    for name, (build, shapes) in MODELS.items():
        for kind in ("int8", "float32", "int16", "dynamic"):
            if kind == "dynamic" and not name.startswith(("conv", "depthwise", "dense")):
                continue
            try:
                content = convert(build, shapes, kind)
            except Exception as error:  # what TensorFlow cannot convert is nobody's input
                sys.stderr.write(f"{name} {kind}: {str(error).splitlines()[0][:120]}\n")
                continue
            (folder / f"{name}.{kind}.tflite").write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
