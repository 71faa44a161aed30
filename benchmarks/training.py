"""
What training brings on spoken digits: means of seeds, beside an equally trained float control.

    python benchmarks/training.py MODELS [--seeds 5]

MODELS is the folder of shared models. Each recipe and its control are trained with the
same seed and for as many epochs, on 2,250 recordings; the 300 of the test split judge.
Goals: 8 times smaller at no more than 2.5 points below the control; half of the
multiply-accumulates by structured pruning at no more than 2 points below; int8 after
quantization-aware training within 1 point; and a narrow network that int8 alone hurts
and quantization-aware training repairs.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from passes import BUDGET, write_data

from pytest_edgebudget.session import GateSession
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


def main() -> None:
    """All recipes with all seeds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="titles that begin with it")
    options = parser.parse_args()
    path = options.models.resolve() / "fsdd_trainable/models/baseline.keras"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text("")
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
