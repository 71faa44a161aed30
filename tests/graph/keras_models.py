"""
Builds Keras models, exports them, and says what TensorFlow counts in them.

    python keras_models.py FOLDER

writes NAME.tflite (and NAME.onnx) for each model, and counts.json: parameters
by Keras, floating-point operations of convolutions and matrix products, and of
all other ops, by TensorFlow's profiler. A process of its own: TensorFlow takes 700 MB.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import layers as la

PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "Conv2DBackpropInput")


def chain(shape: tuple[int, ...], *steps: Any) -> Any:
    return keras.Sequential([keras.Input(shape, batch_size=1), *steps])


def attention() -> Any:
    x = keras.Input((12, 16), batch_size=1)
    return keras.Model(x, la.MultiHeadAttention(num_heads=2, key_dim=8)(x, x))


def elementwise() -> Any:
    x = keras.Input((8, 8, 4), batch_size=1)
    y = la.Maximum()([x * la.Conv2D(4, 3, padding="same")(x), x])
    y = la.Add()([la.MaxPooling2D(2)(y), la.AveragePooling2D(2)(y)])
    y = la.Softmax()(la.Dense(6)(la.GlobalAveragePooling2D()(y)))
    return keras.Model(x, y)


def embedding() -> Any:
    x = keras.Input((12,), batch_size=1, dtype="int32")
    return keras.Model(x, la.Dense(3)(la.GlobalAveragePooling1D()(la.Embedding(50, 8)(x))))


MODELS = {
    "cnn": lambda: chain(
        (17, 23, 3),
        la.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        la.Conv2D(12, (2, 5)),
        la.MaxPooling2D(2),
        la.Flatten(),
        la.Dense(10),
    ),
    "dilated": lambda: chain((16, 16, 3), la.Conv2D(4, 3, dilation_rate=2)),
    "separable": lambda: chain(
        (16, 16, 4),
        la.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
        la.SeparableConv2D(6, 3, strides=2),
        la.Conv2D(8, 1, activation="relu6"),
        la.GlobalAveragePooling2D(),
        la.Dense(3, activation="softmax"),
    ),
    "conv1d": lambda: chain(
        (40, 6), la.Conv1D(8, 5, padding="valid"), la.ReLU(), la.Conv1D(4, 3, strides=2)
    ),
    "decoder": lambda: chain(
        (5, 5, 6), la.Conv2DTranspose(4, 3, strides=2, padding="same"), la.ReLU()
    ),
    "attention": attention,
    "elementwise": elementwise,
    "embedding": embedding,
    "lstm": lambda: chain((14, 5), la.LSTM(7), la.Dense(2)),
}


def floating_operations(model: Any) -> tuple[int, int]:
    """TensorFlow's profiler on the frozen graph: the ops of PRODUCTS, and all others."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2_as_graph,
    )

    shape, dtype = model.inputs[0].shape, model.inputs[0].dtype
    function = tf.function(model).get_concrete_function(tf.TensorSpec(shape, dtype))
    _, definition = convert_variables_to_constants_v2_as_graph(function)
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(definition, name="")
        builder = tf.compat.v1.profiler.ProfileOptionBuilder
        options = builder(builder.float_operation()).with_empty_output().build()
        profile = tf.compat.v1.profiler.profile(graph=graph, cmd="op", options=options)
    nodes = by_op(profile)
    products = sum(node.float_ops for node in nodes if node.name in PRODUCTS)
    return products, sum(node.float_ops for node in nodes) - products


def by_op(profile: Any) -> list[Any]:
    """The profile's nodes: a chain in which each one includes those below it."""
    nodes, left = [], list(profile.children)
    while left:
        node = left.pop()
        nodes.append(node)
        left += node.children
    return nodes


def export(model: Any, path: Path, batch: int | None) -> None:
    """The model as .tflite and .onnx with that batch, or an open one."""
    shape = (batch, *model.inputs[0].shape[1:])
    signature = [keras.InputSpec(shape=shape, dtype=model.inputs[0].dtype)]
    model.export(str(path), input_signature=signature, verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(path))
    path.with_suffix(".tflite").write_bytes(converter.convert())
    onnx = str(path.with_suffix(".onnx"))
    model.export(onnx, format="onnx", input_signature=signature, verbose=False)


def main(folder: Path) -> None:
    counts = {}
    for name, make in MODELS.items():
        keras.utils.set_random_seed(0)
        model = make()
        # zero biases are dropped by the exporters
        model.set_weights([keras.random.normal(w.shape) for w in model.get_weights()])
        flops, others = floating_operations(model)
        counts[name] = {"parameters": model.count_params(), "flops": flops, "others": others}
        export(model, folder / name, 1)
        if name != "lstm":  # the converter refuses it
            export(model, folder / f"{name}_open", None)
    (folder / "counts.json").write_text(json.dumps(counts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
