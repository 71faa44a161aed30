"""Networks with what networks have: branches, separable and transposed convolutions ..."""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np

L = keras.layers


def residual():
    image = keras.Input((16, 16, 3), name="image")
    x = L.Rescaling(0.5)(image)
    x = L.Conv2D(8, 3, padding="same", use_bias=False)(x)
    x = L.ReLU()(L.BatchNormalization()(x))
    y = L.DepthwiseConv2D(3, padding="same")(x)
    y = L.ReLU(6.0)(L.BatchNormalization()(y))
    y = L.BatchNormalization()(L.Conv2D(8, 1)(y))
    x = L.Activation("relu")(L.Add()([x, y]))
    z = L.SeparableConv2D(8, 3, padding="same", activation="relu")(x)
    x = L.MaxPooling2D()(L.Concatenate()([x, z]))
    x = L.BatchNormalization()(x)
    x = L.GlobalAveragePooling2D()(x)
    return keras.Model(image, L.Dense(10)(L.Dropout(0.2)(x)))


def sequence():
    return keras.Sequential(
        [
            keras.Input((32, 4)),
            L.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="relu"),
            L.BatchNormalization(),
            L.MaxPooling1D(),
            L.Conv1D(8, 3, strides=2),
            L.BatchNormalization(),
            L.ReLU(),
            L.Flatten(),
            L.Dense(12, activation="tanh"),
            L.Dense(10),
        ]
    )


def gated():
    image = keras.Input((8, 8, 2))
    x = L.Conv2DTranspose(6, 3, strides=2, padding="same")(image)
    x = L.Activation("relu")(L.BatchNormalization()(x))
    gate = L.Conv2D(6, 1, activation="sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))
    x = L.AveragePooling2D(2)(x * gate)
    return keras.Model(image, L.Dense(10)(L.Flatten()(x)))


def nested():
    inner = keras.Sequential(
        [keras.Input((6, 6, 4)), L.DepthwiseConv2D(3, depth_multiplier=2), L.BatchNormalization()]
    )
    image = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3, activation="silu")(image)
    return keras.Model(image, L.Dense(10)(L.Flatten()(inner(x))))


def trained(name):
    """A network whose batch norms have seen something, and what it saw."""
    keras.utils.set_random_seed(1)
    model = globals()[name]()
    draw = np.random.default_rng(0)
    x = draw.normal(size=(128, *model.input_shape[1:])).astype("float32")
    model.compile("adam", "mse")
    model.fit(x, draw.normal(size=(128, 10)).astype("float32"), epochs=2, verbose=0)
    return model, x


def quantized_as_trained(payload):
    """How far apart answers are: folded from source, int8 from fake quantization."""
    from ai_edge_litert.interpreter import Interpreter

    from pytest_edgebudget.training import conversion, files, folding, quantized

    model, x = trained(payload["name"])
    plain = folding.folded(model)
    folded = float(abs(plain.predict(x, verbose=0) - model.predict(x, verbose=0)).max())
    rounded = quantized.quantized(plain, "qat")
    rounded.compile("adam", "mse")
    rounded.fit(x, model.predict(x, verbose=0), epochs=8, verbose=0)
    quantized.take_weights(plain, rounded)
    ranges = quantized.ranges_of(rounded)
    expected = quantized.quantized(plain, "qat", ranges).predict(x, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "model.keras"), Path(folder, "model.tflite")
        files.write_model(plain, source, {"ranges": ranges})
        conversion.to_int8(source, conversion.trained_ranges(source), out, "int8")
        reader = Interpreter(model_content=out.read_bytes(), num_threads=1)
    reader.allocate_tensors()
    (read,), (write,) = reader.get_input_details(), reader.get_output_details()
    scale, zero = read["quantization"]
    step, shift = write["quantization"]
    answers = []
    for sample in x:
        fed = np.clip(np.rint(sample[None] / scale) + zero, -128, 127).astype(read["dtype"])
        reader.set_tensor(read["index"], fed)
        reader.invoke()
        answers.append((reader.get_tensor(write["index"])[0].astype("float32") - shift) * step)
    dtypes = {str(np.dtype(each["dtype"])) for each in reader.get_tensor_details()}
    apart = abs(np.array(answers) - expected)
    return {
        "folded": folded,
        "dtypes": sorted(dtypes),
        "steps_apart": float(apart.max() / step),
        "mean_steps_apart": float(apart.mean() / step),
    }
