"""
What each pass saves and costs, on one model: spoken digits, 80,298 parameters.

    python benchmarks/passes.py MODELS [RECIPE ...]
    python benchmarks/passes.py MODELS --calibrations

MODELS is the folder of shared models. Each recipe goes through the gate: bytes, bytes of
the download, multiply-accumulates, accuracy on 300 recordings that no training saw, and
seconds to build it; for a trained one the float control, trained as long. A point is
three recordings. With --calibrations: int8 of the shared float models instead, by each way
to choose the ranges of activations, on all samples of their test splits.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from fit import digits, images, kws, speech

from pytest_edgebudget.session import GateSession
from pytest_edgebudget.wiring import command_line_manager, registry_of

FREE = (
    "none", "clean", "float16", "weights_int8", "dynamic_int8", "int8", "int16x8", "int4_weights",
    "mixed(88848)", "prune(0.1)+int8", "int8+cluster(32)", "int8+clean",
)  # fmt: skip
TRAINED = (
    "finetune", "qat+int8", "qat(teacher=true)+int8", "channels(0.3)+int8", "channels(0.5)+int8",
    "channels(0.5)+qat+int8", "low_rank(0.9)+int8", "sparsify(0.7)+int8",
    "sparsify(0.5, pattern=2:4)+int8", "regularize+prune(0.3)+int8",
)  # fmt: skip
BUDGET = """
lint.level = "off"
[models.m]
path = "{path}"
data = "data.npz"
optimize = ["{recipe}"]
[models.m.budget]
size = "1 GiB"
download_size = "1 GiB"
macs = 1_000_000_000
accuracy = 0
"""


def write_data(models: Path, folder: Path) -> None:
    """The recordings, 0..1; a sixth of the train split validates."""
    with np.load(models / "fsdd_trainable" / "data.npz") as data:
        x = data["x_train"].astype(np.float32) / 255
        order = np.random.default_rng(0).permutation(len(x))
        val, train = order[:450], order[450:]
        np.savez(
            folder / "data.npz",
            x_train=x[train], y_train=data["y_train"][train],
            x_val=x[val], y_val=data["y_train"][val],
            x_calibration=x[train[:200]],
            x_test=data["x_test"].astype(np.float32) / 255, y_test=data["y_test"],
        )  # fmt: skip


METHODS = (
    "none", "int8", "int8(calibration=minmax)", "int8(calibration=percentile)",
    "int8(calibration=percentile, percentile=99.99)", "int8(calibration=entropy)",
    "int8(calibration=mse)", "int8(samples=20)", "int8(calibration=minmax, samples=20)",
)  # fmt: skip


def alibaba(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Images as that network's source prepares them, channels first."""
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    made = dict(arrays)
    for name in (each for each in arrays if each.startswith("x")):
        scaled = (arrays[name] / 255 - np.array(mean)) / np.array(deviation)
        made[name] = np.moveaxis(scaled, 3, 1).astype(np.float32)
    return made


def calibrations(models: Path, folder: Path) -> None:
    """Accuracy of int8 by calibration, on networks for speech and images in both formats."""
    for file, arrays in (
        ("kws_dscnn/models/kws_float32.tflite", kws(models)),
        ("kws_dscnn/models/kws_alibaba_float.onnx", kws(models)),
        ("ic_resnet8/models/resnet8_float32.tflite", images(models)),
        ("ic_resnet8/models/ic_alibaba_float.onnx", alibaba(images(models))),
        ("fsdd_trainable/models/baseline_float32.tflite", speech(models)),
        ("mnist_cnn_onnx/models/mnist.onnx", digits(models)),
    ):
        np.savez(folder / "data.npz", **arrays)
        print(file, flush=True)
        for recipe in METHODS:
            print(f"  {row(recipe, models.resolve() / file, folder)}", flush=True)


def row(recipe: str, path: Path, folder: Path) -> str:
    """One line of the table."""
    file = folder / "b.toml"
    file.write_text(BUDGET.format(path=path, recipe=recipe))
    session = GateSession(root=folder, registry=registry_of(command_line_manager()))
    session.read([file])
    (budget,) = session.budgets.values()
    started = time.perf_counter()
    try:
        found = session.fit(budget, budget.models[0])
    except Exception as error:
        return f"{recipe:46} {str(error).splitlines()[0]}"
    finally:
        session.close()
    seconds = time.perf_counter() - started
    values = {name: reading.value for name, reading in found.after.readings.items()}
    control = found.control.readings["accuracy"].value if found.control else None
    words = f"  control {100 * control:.2f} %" if control is not None else ""
    return (
        f"{recipe:46} {values['size'] / 1024:7.1f} KiB {values['download_size'] / 1024:7.1f} KiB"
        f" {values['macs'] / 1e6:6.2f} M {100 * values['accuracy']:6.2f} % {seconds:6.1f} s{words}"
    )


def main() -> None:
    """All recipes, or those that were named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=Path)
    parser.add_argument("recipes", nargs="*", default=[*FREE, *TRAINED])
    parser.add_argument("--calibrations", action="store_true")
    options = parser.parse_args()
    path = options.models.resolve() / "fsdd_trainable/models/baseline.keras"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text("")
        if options.calibrations:
            calibrations(options.models, folder)
            return
        write_data(options.models, folder)
        print(
            f"{'recipe':46} {'size':>11} {'download':>11} {'MACs':>8} {'accuracy':>8} {'time':>8}"
        )
        for recipe in options.recipes:
            print(row(recipe, path, folder), flush=True)


if __name__ == "__main__":
    main()
