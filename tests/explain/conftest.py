"""The models that the tests of graphs write, too."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_edgebudget.explain.command import explain

sys.path.append(str(Path(__file__).parent.parent / "graph"))

Explain = Callable[..., str]


@pytest.fixture
def explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Explain:
    """Write a model into an empty folder and explain it there."""
    monkeypatch.chdir(tmp_path)

    def run(
        content: bytes | Path | str,
        *,
        name: str = "model.tflite",
        profile: str | None = None,
        format: str = "text",
        plot: str | None = None,
    ) -> str:
        if isinstance(content, bytes):
            Path(name).write_bytes(content)
        asked = name if isinstance(content, bytes) else str(content)
        picture = Path(plot) if plot else None
        options = argparse.Namespace(name=asked, profile=profile, format=format, plot=picture)
        return explain(options)

    return run
