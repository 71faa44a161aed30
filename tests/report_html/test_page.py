"""The page: whole, safe, small, and alive in a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pytest_edgebudget.cli import main
from pytest_edgebudget.history.sqlite import SqliteDatabase
from pytest_edgebudget.html import REPORT
from pytest_edgebudget.report.base import LimitRow, ModelRow, Run
from tests.history.conftest import row
from tests.report.conftest import FILE, read

VOID = {"meta", "img"}


class Balance(HTMLParser):
    """Every tag that opens closes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(page: str) -> Balance:
    found = Balance()
    found.feed(page)
    assert found.open == []
    return found


@pytest.fixture
def alone(run: Run, tmp_path: Path) -> Run:
    """A run in a folder without a history."""
    return replace(run, root=str(tmp_path))


def test_the_page_is_one_file_without_network_and_script(alone: Run) -> None:
    page = REPORT.render(alone)
    found = parsed(page)

    assert not re.search(r"https?://(?!www\.w3\.org/)", page)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in found.seen}
    assert "prefers-color-scheme:dark" in page


def test_everything_of_the_run_is_on_it(alone: Run) -> None:
    text = " ".join(parsed(REPORT.render(alone)).text)

    for word in ("1 broken", "at most 32.0 KiB", "38.4 KiB", "-20 %", "3 candidates tried"):
        assert word in text
    assert "977 KiB - 1.05 MiB" in text
    assert "the worker was killed by SIGKILL (9)" in text
    assert "a smaller dense (FULLY_CONNECTED)" in text
    assert "raspberry-pi-4, run host, 1 thread, litert 2.3.0" in text


def test_every_plot_has_a_name_and_every_table_can_be_reached_by_keyboard(alone: Run) -> None:
    found = parsed(REPORT.render(alone))
    plots = [attrs for tag, attrs in found.seen if tag == "svg" and attrs.get("class") == "plot"]
    regions = [attrs for tag, attrs in found.seen if attrs.get("role") == "region"]

    assert [plot["aria-label"] for plot in plots] == ["digits: candidates by size and accuracy"]
    assert len(regions) == sum(tag == "table" for tag, _ in found.seen)
    assert all(each["tabindex"] == "0" and each["aria-label"] for each in regions)


def test_names_are_no_markup(alone: Run) -> None:
    evil = '"><script>alert(1)</script>\x1b[2J'
    limits = tuple(replace(limit, model=evil, note=evil) for limit in alone.limits)
    page = REPORT.render(replace(alone, limits=limits))

    assert "<script" not in page
    assert "\x1b" not in page
    assert parsed(page).seen


def many(limit: LimitRow, model: ModelRow, models: int, limits: int) -> Run:
    rows, parts = [], []
    for m in range(models):
        parts.append(replace(model, name=f"model{m}", trials=model.trials * 3))
        for n in range(limits):
            name = f"metric{n}"
            rows.append(
                replace(limit, model=f"model{m}", metric=name, id=f"{FILE}::model{m}::{name}")
            )
    return Run(version="1", files=(), models=tuple(parts), limits=tuple(rows), errors=())


def test_a_hundred_models_with_ten_limits_take_less_than_three_seconds_and_five_megabytes(
    size: LimitRow,
    model: ModelRow,
    tmp_path: Path,
) -> None:
    large = replace(many(size, model, 100, 10), root=str(tmp_path))
    start = time.process_time()
    page = REPORT.render(large)

    assert time.process_time() - start < 3
    assert len(page.encode()) < 5 << 20


def regression(folder: Path) -> None:
    """Thirty commits of a latency, slower by 6 % since the twentieth."""
    path = folder / ".edgebudget_history" / "history.sqlite"
    database = SqliteDatabase(path)
    for n in range(30):
        value = 0.008 * (1.06 if n >= 20 else 1.0) * (1 + 0.004 * ((n * 7) % 5 - 2))
        commit = f"{n:08d}" + "0" * 32
        database.add([row(n, file=FILE, value=value, commit_id=commit)])
    database.close()


def test_the_history_shows_where_a_reading_changed(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("EDGEBUDGET_HISTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    regression(tmp_path)
    latency = replace(run.limits[2], metric="latency", unit="s", after=read(0.0085, 0.0084, 0.0086))
    page = REPORT.render(replace(run, limits=(latency,), root=str(tmp_path)))
    main(["history", "digits", "latency", "--format", "json"])
    (series,) = json.loads(capsys.readouterr().out)["series"]

    assert [point["commit"][:8] for point in series["changes"]] == ["00000020"]
    assert re.search(r"changes: \+[56]\.\d % at 00000020", page)
    assert 'class="change"' in page


Browse = Callable[..., str]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """What Chromium makes of a page in a window of so many pixels; no word on its console."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")

    def browse(page: Path, width: int) -> str:
        command = [
            chromium, "--headless", "--disable-gpu", "--no-sandbox", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},2000", "--dump-dom",
            page.as_uri(),
        ]  # fmt: skip
        environment = {**os.environ, "HOME": str(tmp_path)}
        shown = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=environment, check=True
        )
        assert "CONSOLE" not in shown.stderr
        return shown.stdout

    return browse


PROBE = """<script>
document.querySelectorAll("details").forEach(d => d.open = true);
const root = document.documentElement;
const plots = [...document.querySelectorAll("svg")].map(s => s.getBoundingClientRect());
document.title = JSON.stringify({
  wide: root.scrollWidth, window: innerWidth,
  plots: plots.length, drawn: plots.filter(r => r.width > 20 && r.height > 5).length,
});
</script></body>"""
"""Only the test's copy of the page has a script: it measures."""


@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_draws_every_plot_and_the_page_is_as_wide_as_its_window(
    alone: Run, tmp_path: Path, browse: Browse, width: int
) -> None:
    digits = Path(__file__).parent.parent.parent / "examples" / "digits" / "digits.tflite"
    real = replace(alone, models=(replace(alone.models[0], artifact=str(digits)),))
    page = tmp_path / "page.html"
    page.write_text(REPORT.render(real).replace("</body>", PROBE))
    title = re.search(r"<title>(.*?)</title>", browse(page, width))
    assert title is not None
    found = json.loads(title[1])

    assert found["plots"] == found["drawn"] >= 7  # bars, layers, candidates, the memory map
    assert found["wide"] <= found["window"]


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_history_draws_its_series_as_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    if suffix == "png":
        pytest.importorskip("resvg_py", reason="makes PNG of SVG")
    monkeypatch.delenv("EDGEBUDGET_HISTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    regression(tmp_path)

    assert main(["history", "digits", "--plot", f"out.{suffix}"]) == 0
    drawn = (tmp_path / f"out.{suffix}").read_bytes()
    if suffix == "png":
        assert drawn.startswith(b"\x89PNG")
    else:
        tree = ElementTree.fromstring(drawn.decode())
        kinds = [each.get("class") for each in tree.iter()]
        assert (kinds.count("trend"), kinds.count("change")) == (1, 1)


def test_a_plot_of_nothing_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EDGEBUDGET_HISTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")

    assert main(["history", "--plot", "out.svg"]) == 2
    assert main(["history", "--plot", "out.gif"]) == 2
    assert "out.svg: no series has two readings yet" in capsys.readouterr().err
