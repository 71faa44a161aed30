"""
What training brings on spoken digits: means of seeds, beside an equally trained float control.

    python benchmarks/training.py MODELS [--seeds 5] [--only TITLE]
    python benchmarks/training.py MODELS --agreement

MODELS is the folder of shared models. Each recipe and its control are trained with the
same seed and for as many epochs, on 2,250 recordings; the 300 of the test split judge.
Goals: 8 times smaller at no more than 2.5 points below the control; half of the
multiply-accumulates by structured pruning at no more than 2 points below; int8 after
quantization-aware training within 1 point; and a narrow network that int8 alone hurts
and quantization-aware training repairs. With --agreement instead: on how many test samples
the int8 of quantization-aware training decides as its training did, for spoken digits and for
keyword spotting (a DS-CNN of tf-keras, trained on the 200 calibration windows; 800 judge).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from fit import kws
from passes import BUDGET, write_data

from pytest_edgebudget.budget.recipes import parse_recipe
from pytest_edgebudget.build import build, source_artifact
from pytest_edgebudget.build.bound import Bound
from pytest_edgebudget.build.training import School, trained
from pytest_edgebudget.data import load_data
from pytest_edgebudget.errors import Place
from pytest_edgebudget.session import GateSession
from pytest_edgebudget.store import Store
from pytest_edgebudget.training import files
from pytest_edgebudget.training.conversion import trained_ranges
from pytest_edgebudget.training.quantized import quantized
from pytest_edgebudget.types import ModelBudget
from pytest_edgebudget.wiring import command_line_manager, registry_of

RECIPES = (
    ("8 times smaller", "channels(0.4, epochs=10, seed={s})+qat(epochs=5, seed={s})+int8", 15),
    ("half the MACs", "channels(0.35, epochs=5, seed={s})", 5),
    ("QAT int8", "qat(epochs=3, seed={s})+int8", 3),
    ("int8 hurts", "channels(0.5, epochs=5, seed={s})+int8", 5),
    ("QAT repairs", "channels(0.5, epochs=5, seed={s})+qat(epochs=3, seed={s})+int8", 8),
)


def values(recipe: str, path: Path, folder: Path) -> dict[str, float]:
    """Size, MACs and accuracy of one recipe, through the gate."""
    file = folder / "b.toml"
    file.write_text(BUDGET.format(path=path, recipe=recipe))
    session = GateSession(root=folder, registry=registry_of(command_line_manager()))
    session.read([file])
    (budget,) = session.budgets.values()
    try:
        found = session.fit(budget, budget.models[0])
    finally:
        session.close()
    return {name: reading.value for name, reading in found.after.readings.items()}


def agreement(models: Path, folder: Path) -> None:
    """Share of the test samples on which both arg-max are the same."""
    write_data(models, folder)
    kinds = {
        "spoken digits": (models / "fsdd_trainable/models/baseline.keras", folder / "data.npz")
    }
    windows = kws(models)
    windows["x_train"], windows["y_train"] = windows["x_calibration"], windows["y_calibration"]
    np.savez(folder / "kws.npz", **windows)
    kinds["keyword spotting"] = (models / "kws_dscnn/models/kws_model.h5", folder / "kws.npz")
    for title, (path, data) in kinds.items():
        print(f"{title:18} {agreed(path.resolve(), data, folder)}", flush=True)


def agreed(path: Path, data: Path, folder: Path) -> str:
    """Both arg-max of one model, compared in words."""
    store = Store(folder / "cache", limit=1 << 30)
    passes = dict(registry_of(command_line_manager()).passes)
    model = ModelBudget(name="m", source=path, place=Place(folder / "b.toml", 1))
    source = source_artifact(model, formats=("tflite",), root=folder, store=store)
    found = load_data(data, root=folder, store=store)
    steps = parse_recipe("qat(epochs=3, learning_rate=0.0001)+int8", passes)
    made = build(steps, source, passes=passes, data=found, root=folder, store=store)
    lesson = [Bound(steps.steps[0], passes["qat"])]
    school = School(data=found, root=folder, store=store)
    kept = trained(lesson, source, school).trainable
    with np.load(data) as arrays:
        x, y = arrays["x_test"], arrays["y_test"]
    rounded = quantized(files.read_model(kept, "qat"), "qat", trained_ranges(kept))
    x = x.reshape(-1, *rounded.input_shape[1:])
    expected = rounded.predict(x, verbose=0).argmax(axis=1)
    answers = outputs(made.path, x).reshape(len(x), -1).argmax(axis=1)
    return (
        f"{100 * (answers == expected).mean():.2f} % of {len(x)} agree,"
        f" int8 {100 * (answers == y).mean():.2f} %, training {100 * (expected == y).mean():.2f} %"
    )


def outputs(model: Path, x: np.ndarray) -> np.ndarray:
    """What LiteRT answers, as integers."""
    reader = Interpreter(model_path=str(model), num_threads=1)
    reader.allocate_tensors()
    (read,), (write,) = reader.get_input_details(), reader.get_output_details()
    scale, zero = read["quantization"]
    answers = []
    for sample in x:
        fed = np.clip(np.rint(sample[None] / scale) + zero, -128, 127).astype(np.int8)
        reader.set_tensor(read["index"], fed)
        reader.invoke()
        answers.append(reader.get_tensor(write["index"])[0])
    return np.array(answers)


def main() -> None:
    """All recipes with all seeds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--agreement", action="store_true")
    parser.add_argument("--only", default="", help="titles that begin with it")
    options = parser.parse_args()
    path = options.models.resolve() / "fsdd_trainable/models/baseline.keras"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text("")
        if options.agreement:
            agreement(options.models, folder)
            return
        write_data(options.models, folder)
        source = values("none", path, folder)
        print(f"source: {source['size']:.0f} B, {source['macs'] / 1e6:.2f} M MACs,"
              f" {100 * source['accuracy']:.2f} %")  # fmt: skip
        for title, recipe, epochs in (row for row in RECIPES if row[0].startswith(options.only)):
            mine, controls = [], []
            for seed in range(options.seeds):
                mine.append(values(recipe.format(s=seed), path, folder))
                control = f"finetune(epochs={epochs}, seed={seed})"
                controls.append(values(control, path, folder)["accuracy"])
            print(row(title, recipe, source, mine, controls), flush=True)


def row(
    title: str,
    recipe: str,
    source: dict[str, float],
    mine: list[dict[str, float]],
    controls: list[float],
) -> str:
    """Means over the seeds, in one line."""
    mean = statistics.fmean
    accuracy = [each["accuracy"] for each in mine]
    below = [100 * (c - a) for c, a in zip(controls, accuracy, strict=True)]
    smaller = source["size"] / mean(each["size"] for each in mine)
    macs = 100 * mean(each["macs"] for each in mine) / source["macs"]
    return (
        f"{title:16} {smaller:5.2f} times smaller, {macs:3.0f} % of the MACs,"
        f" {100 * mean(accuracy):.2f} %, control {100 * mean(controls):.2f} %:"
        f" {mean(below):+.2f} points below ({min(below):+.2f} to {max(below):+.2f})"
        f"   {recipe.replace(', seed={s}', '')}"
    )


if __name__ == "__main__":
    main()
