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


def patches(count, seed):
    """Images with noise, and one of ten patterns of bright squares and colours: its number."""
    draw = np.random.default_rng(seed)
    x = 0.3 * draw.normal(size=(count, 16, 16, 3)).astype("float32")
    y = np.arange(count) % 10
    for image, label in zip(x, y, strict=True):
        row, column = 8 * (label % 2), 8 * (label // 2 % 2)
        image[row : row + 8, column : column + 8, label // 4] += 1.0
    return x, y


def agreement(payload):
    """Arg-max of the fake-quantized network and of its int8, on images that no training saw."""
    from pytest_edgebudget.training import folding, quantized

    keras.utils.set_random_seed(2)
    model = spread()
    x, y = patches(500, 0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(x, y, epochs=12, verbose=0)
    plain = folding.folded(model)
    rounded = quantized.quantized(plain, "qat")
    rounded.compile(keras.optimizers.Adam(0.001), loss)
    rounded.fit(x, y, epochs=3, verbose=0)
    fresh, labels = patches(500, 1)
    expected, answers, reader, _ = both(plain, rounded, fresh)
    expected, answers = expected.argmax(axis=1), answers.argmax(axis=1)
    return {
        "agree": float((expected == answers).mean()),
        "right": float((answers == labels).mean()),
        "dtypes": dtypes(reader),
    }


def spread():
    """As `residual`, but places matter: no global pooling."""
    image = keras.Input((16, 16, 3), name="image")
    x = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(image)
    x = L.ReLU()(L.BatchNormalization()(x))
    y = L.DepthwiseConv2D(3, padding="same")(x)
    y = L.ReLU(6.0)(L.BatchNormalization()(y))
    y = L.BatchNormalization()(L.Conv2D(8, 1)(y))
    x = L.Activation("relu")(L.Add()([x, y]))
    z = L.SeparableConv2D(8, 3, padding="same", activation="relu")(x)
    x = L.MaxPooling2D(4)(L.Concatenate()([x, z]))
    return keras.Model(image, L.Dense(10)(L.Flatten()(x)))


def dtypes(reader):
    return sorted({str(np.dtype(each["dtype"])) for each in reader.get_tensor_details()})


def both(plain, rounded, x):
    """What the fake-quantized network and its `.tflite` answer to *x*, and a step of the latter."""
    from ai_edge_litert.interpreter import Interpreter

    from pytest_edgebudget.training import conversion, files, quantized

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
    return expected, np.array(answers), reader, step


def quantized_as_trained(payload):
    """How far apart answers are: folded from source, int8 from fake quantization."""
    from pytest_edgebudget.training import folding, quantized

    model, x = trained(payload["name"])
    plain = folding.folded(model)
    folded = float(abs(plain.predict(x, verbose=0) - model.predict(x, verbose=0)).max())
    rounded = quantized.quantized(plain, "qat")
    rounded.compile("adam", "mse")
    rounded.fit(x, model.predict(x, verbose=0), epochs=8, verbose=0)
    expected, answers, reader, step = both(plain, rounded, x)
    apart = abs(answers - expected)
    return {
        "folded": folded,
        "dtypes": dtypes(reader),
        "steps_apart": float(apart.max() / step),
        "mean_steps_apart": float(apart.mean() / step),
    }
