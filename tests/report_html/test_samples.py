"""Pictures of samples are on the page where they were asked for, and nowhere else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytest_edgebudget.html import REPORT, render_with_samples
from pytest_edgebudget.report.base import DropRow, Run

from .test_page import Browse, alone, browse, parsed

__all__ = ["alone", "browse"]

READ = """<script>
addEventListener("load", () => {
  document.title = JSON.stringify([...document.images].map(image => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
  }));
});
</script></body>"""
"""Only the test's copy of the page has a script: it reads pixels back."""


@pytest.fixture
def flips(alone: Run) -> Run:
    """A run whose first limit has a drop: samples 2 and 4 became wrong, 1 right."""
    drop = DropRow(
        value=0.1, low=0.0, high=0.2, confidence=0.95, samples=6, method="exact",
        worse=2, better=1, p=1.0, worse_at=(2, 4), better_at=(1,),
    )  # fmt: skip
    first = replace(alone.limits[0], drop=drop, metric="accuracy")
    return replace(alone, limits=(first, *alone.limits[1:]))


def with_data(run: Run, folder: Path, **arrays: np.ndarray) -> Run:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return replace(run, models=(replace(run.models[0], data=str(path)),))


def gray(count: int = 6) -> np.ndarray:
    return np.random.default_rng(0).random((count, 8, 9, 1), np.float32)


def test_a_page_that_was_not_asked_for_samples_has_none(flips: Run, tmp_path: Path) -> None:
    page = REPORT.render(with_data(flips, tmp_path, x_test=gray(), y_test=np.arange(6)))
    assert "data:image" not in page
    assert "img" not in {tag for tag, _ in parsed(page).seen}
    assert "label 4" not in page


def test_the_samples_that_flipped_are_shown_with_their_labels(flips: Run, tmp_path: Path) -> None:
    run = with_data(flips, tmp_path, x_test=gray(), y_test=np.arange(6) + 10)
    found = parsed(render_with_samples(run))
    pictures = [attrs["alt"] for tag, attrs in found.seen if tag == "img"]
    assert pictures == [
        "sample 2, label 12, right -> wrong",
        "sample 4, label 14, right -> wrong",
        "sample 1, label 11, wrong -> right",
    ]


@pytest.mark.parametrize("kind", ["gray", "rgb", "channels first", "no channels"])
def test_a_browser_reads_the_pixels_that_the_data_have(
    kind: str, flips: Run, tmp_path: Path, browse: Browse
) -> None:
    draw = np.random.default_rng(1).integers(0, 256, (6, 8, 9, 3 if kind == "rgb" else 1), np.uint8)
    draw[:, 0, 0], draw[:, 7, 8] = 0, 255  # from black to white already
    stored = {
        "channels first": draw.transpose(0, 3, 1, 2),
        "no channels": draw[..., 0],
    }.get(kind, draw)
    run = with_data(flips, tmp_path, x_test=stored)
    page = tmp_path / "page.html"
    page.write_text(render_with_samples(run).replace("</body>", READ))
    title = re.search(r"<title>(.*?)</title>", browse(page, 1200))
    assert title is not None
    read = [np.array(each).reshape(8, 9, 4) for each in json.loads(title[1])]
    for place, pixels in zip((2, 4, 1), read, strict=True):
        assert (pixels[..., :3] == np.broadcast_to(draw[place], (8, 9, 3))).all()


def test_samples_that_are_no_pictures_are_said_to_be_none(flips: Run, tmp_path: Path) -> None:
    page = render_with_samples(with_data(flips, tmp_path, x_test=np.zeros((6, 40), np.float32)))
    assert "no input has samples that are pictures" in page
    assert "data:image" not in page


def test_data_that_went_away_cost_the_pictures_and_not_the_page(flips: Run, tmp_path: Path) -> None:
    gone = replace(flips, models=(replace(flips.models[0], data=str(tmp_path / "gone.npz")),))
    page = render_with_samples(gone)
    assert "the samples cannot be read" in page
    assert parsed(page).seen


def test_the_first_of_many_are_shown(flips: Run, tmp_path: Path) -> None:
    drop = replace(flips.limits[0].drop, worse=60, worse_at=tuple(range(60)))  # type: ignore[type-var]
    many = replace(flips, limits=(replace(flips.limits[0], drop=drop),))
    page = render_with_samples(with_data(many, tmp_path, x_test=gray(60)))
    assert page.count("<figure>") == 24 + 1
    assert "right -&gt; wrong, the first 24 of 60" in page
