"""
Searches among small networks, whole and broken off, and what they trained.

    python tuned.py OUT.json
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tunable

from pytest_edgebudget.build.export import export
from pytest_edgebudget.errors import BuildError
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.surgery import tuning
from pytest_edgebudget.training import Settings, files, loop
from pytest_edgebudget.types import Dimension, FunctionRef, Step, Tuning

SPACE = (
    Dimension(name="width", low=2, high=128),
    Dimension(name="depth", low=1, high=2),
    Dimension(name="activation", choices=("relu", "tanh")),
    Dimension(name="learning_rate", low=1e-3, high=1e-1, log=True),
)
STEP = Step("tune", (4,))
SIZE = 9000.0


class Kitchen:
    """Searches in *folder*; notes the widths that are trained, and sizes that are looked at."""

    def __init__(self, folder: Path) -> None:
        self.folder, rng = folder, np.random.default_rng(1)
        self.x = rng.normal(size=(240, 6)).astype("float32")
        self.y = self.x[:, :3].argmax(axis=1)
        np.savez(folder / "data.npz", x_train=self.x, y_train=self.y)
        files.write_model(tunable.net(), folder / "source.keras")
        self.trained: list[int] = []
        self.looked: list[int] = []
        real = loop.train

        def train(job: Job, model: keras.Model, settings: Settings) -> None:
            self.trained.append(self.looked[-1] if self.looked else 0)
            real(job, model, settings)

        loop.train = train

    def deployed(self, model: Path) -> Path:
        asked = {"source": str(model), "format": "tflite", "out": str(self.folder)}
        path = Path(str(export(asked)["path"]))
        self.looked.append(path.stat().st_size)
        return path

    def search(self, name: str, trials: int, *, bounded: bool = False, **changes) -> tuning.Search:
        (self.folder / name).mkdir(exist_ok=True)
        job = Job(
            model=self.folder / "source.keras",
            out=self.folder / "out.keras",
            step=STEP,
            data=self.folder / "data.npz",
            deployed=self.deployed if bounded else None,
        )
        wanted = Tuning(
            function=FunctionRef("tunable", "net"), space=SPACE, bounds=(("size", SIZE),)
        )
        return tuning.Search(
            job=job,
            tuning=replace(wanted, **changes),
            settings=Settings(epochs=2),
            trials=trials,
            seconds=300.0,
            folder=self.folder / name,
        )

    def refused(self, name: str, **changes) -> str:
        try:
            self.search(name, 1, **changes).run()
        except BuildError as error:
            return f"{error.message}|{error.hint}"
        raise AssertionError(f"{name} was not refused")


def tried(search: tuning.Search) -> list[dict]:
    return [trial.params for trial in search._study().trials]


def main() -> None:
    out = Path(sys.argv[1])
    kitchen = Kitchen(out.parent)
    bounded = kitchen.search("bounded", 3, bounded=True)
    best = bounded.run()
    sizes = {"trained": kitchen.trained[:], "looked": kitchen.looked[:]}
    whole = kitchen.search("whole", 3)
    whole.run()
    kitchen.search("parts", 1).run()
    parts = kitchen.search("parts", 3)
    parts.run()
    killed = kitchen.search("killed", 1)
    killed._study().ask()  # a trial that no one ended: its process was killed
    killed.run()
    again = len(kitchen.trained)
    parts.run()
    model = keras.saving.load_model(best.model)
    width = (Dimension(name="width", low=4, high=5),)
    results = {
        **sizes,
        "note": best.note,
        "best size": kitchen.deployed(best.model).stat().st_size,
        "right": float((model.predict(kitchen.x, verbose=0).argmax(-1) == kitchen.y).mean()),
        "whole": tried(whole),
        "parts": tried(parts),
        "trained again": len(kitchen.trained) - again,
        "killed": [trial.state.name for trial in killed._study().trials],
        "keyword": kitchen.refused("a", space=(Dimension(name="widht", low=4, high=5),)),
        "number": kitchen.refused("b", function=FunctionRef("tunable", "number"), space=width),
        "output": kitchen.refused(
            "c", function=FunctionRef("tunable", "wider_output"), space=width
        ),
        "unfit": kitchen.refused("d", bounded=True, bounds=(("size", 100.0),), space=width),
        "missing": kitchen.refused("e", function=FunctionRef("tunable", "nett")),
    }
    out.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
