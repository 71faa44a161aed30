"""What models answer, each asked by its own library."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def of_training(payload):
    """The fake-quantized model as it was at the end of the training, on x_test."""
    from pytest_edgebudget.training import conversion, files, quantized

    path = Path(payload["trained"])
    ranges = conversion.trained_ranges(path)
    model = quantized.quantized(files.read_model(path, "qat"), "qat", ranges)
    with np.load(payload["data"]) as data:
        return model.predict(data["x_test"], verbose=0).argmax(axis=1).tolist()
