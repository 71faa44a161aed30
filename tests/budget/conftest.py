"""A folder with two models and data, for budget files to name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_edgebudget.registry import Registry
from tests.budget.project import HOST, METRICS, ONNX, PASSES, PI4, TFLITE, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    numpy = pytest.importorskip("numpy", reason="numpy writes the data")
    profiles = {"host": HOST, "raspberry-pi-4": PI4}
    for name, text in profiles.items():
        (tmp_path / f"{name}.toml").write_text(text)
    registry = Registry(
        metrics={metric.name: metric for metric in METRICS},
        passes={each.name: each for each in PASSES},
        profiles={name: tmp_path / f"{name}.toml" for name in profiles},
    )
    project = Project(tmp_path, registry)
    project.write("keywords.tflite", TFLITE)
    project.write("net.onnx", ONNX)
    numpy.savez(tmp_path / "data.npz", x_test=numpy.zeros((2, 3)), y_test=numpy.zeros(2))
    return project
