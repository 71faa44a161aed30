"""What tests have done in processes of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_edgebudget.passes import fixed_point as module
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.types import Step


def fixed_point(payload: dict[str, Any]) -> None:
    """Apply the pass."""
    options = tuple((key, value) for key, value in payload["options"])
    step = Step("fixed_point", tuple(payload["args"]), options)
    module.apply(Job(model=Path(payload["model"]), out=Path(payload["out"]), step=step))


def by_hls4ml(payload: dict[str, Any]) -> list[Any]:
    """What hls4ml's own compiled library answers, converted by the note inside the file."""
    import json
    import zipfile

    import hls4ml
    import keras
    import numpy as np

    note = json.loads(zipfile.ZipFile(payload["model"]).read("hls4ml.json"))
    model = keras.saving.load_model(payload["model"], compile=False)
    converted = hls4ml.converters.convert_from_keras_model(model, output_dir=payload["out"], **note)
    converted.compile()
    with np.load(payload["data"]) as data:
        samples = np.ascontiguousarray(data["x_test"], dtype=np.float64)
    found: list[Any] = converted.predict(samples).tolist()
    return found
