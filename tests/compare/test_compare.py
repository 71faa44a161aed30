"""Two reports of the gate, compared: what changed, and what cannot be compared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_edgebudget.cli import main
from pytest_edgebudget.report import json as json_report
from pytest_edgebudget.report.base import LimitRow, ModelRow, ReadingRow, Run

FILE = "budgets/pi4.toml"


def read(value: float, *interval: float, **key: str) -> ReadingRow:
    low, high = interval or (value, value)
    return ReadingRow(
        value=value,
        low=low,
        high=high,
        evidence="measured" if interval else "exact",
        noisy=bool(interval),
        key=key,
    )


def limit(metric: str, unit: str, after: ReadingRow | None, **more: str) -> LimitRow:
    return LimitRow(
        id=f"{FILE}::digits::{metric}",
        file=FILE,
        model="digits",
        metric=metric,
        unit=unit,
        better="higher" if unit == "fraction" else "lower",
        outcome="kept" if after else "unmeasured",
        status=more.get("status", "kept" if after else "unmeasured"),
        fails=False,
        line=3,
        after=after,
        reason=more.get("reason", ""),
    )


def model(recipe: str) -> ModelRow:
    return ModelRow(
        file=FILE,
        name="digits",
        recipe=recipe,
        artifact="here",
        sha256="ab" * 32,
        size=1,
        source_sha256="cd" * 32,
        selected_on="",
        trials=(),
        fits=True,
    )


def run(recipe: str, *limits: LimitRow) -> Run:
    return Run(version="1", files=(), models=(model(recipe),), limits=limits, errors=())


@pytest.fixture
def before() -> Run:
    return run(
        "float16",
        limit("size", "B", read(20480.0)),
        limit("accuracy", "fraction", read(0.98, runtime="litert 2.3.0")),
        limit("latency", "s", read(0.008, 0.0078, 0.0082, cpu="A")),
        limit("ram", "B", read(1e6, 9.9e5, 1.01e6, cpu="A")),
        limit("arena", "B", read(100.0)),
        limit("macs", "count", read(100.0)),
    )


@pytest.fixture
def after() -> Run:
    return run(
        "int8",
        limit("size", "B", read(10240.0)),
        limit("accuracy", "fraction", read(0.97, runtime="litert 2.4.0")),
        limit("latency", "s", read(0.0081, 0.0079, 0.0083, cpu="A")),
        limit("ram", "B", read(1.2e6, 1.19e6, 1.21e6, cpu="A"), status="broken"),
        limit("arena", "B", None, reason="no planner"),
        limit("energy", "J", read(1.0)),
    )


def reports(tmp_path: Path, before: Run, after: Run) -> list[str]:
    for name, each in (("a.json", before), ("b.json", after)):
        (tmp_path / name).write_text(json_report.render(each))
    return [str(tmp_path / "a.json"), str(tmp_path / "b.json")]


def test_the_table_says_of_each_limit_what_changed(
    tmp_path: Path, before: Run, after: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["compare", *reports(tmp_path, before, after)])
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if line.startswith("digits")]

    assert code == 0
    assert [(row[1], row[-1]) for row in rows] == [
        ("size", "better"),
        ("accuracy", "unmeasured"),
        ("latency", "noise"),
        ("ram", "worse"),
        ("arena", "unmeasured"),
        ("energy", "added"),
        ("macs", "removed"),
    ]
    assert "    (not comparable: runtime litert 2.3.0 then, litert 2.4.0 now)" in lines
    assert "    (no reading in the second run: no planner)" in lines
    assert lines[-1] == "1 worse, 1 better, 1 within noise, 2 unmeasured, 1 added, 1 removed"


def test_json_has_the_change_in_si_units_and_none_where_nothing_can_be_compared(
    tmp_path: Path, before: Run, after: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["compare", *reports(tmp_path, before, after), "--format", "json"])
    rows = {row["metric"]: row for row in json.loads(capsys.readouterr().out)["changes"]}

    assert (rows["size"]["change"], rows["size"]["share"]) == (-10240.0, -0.5)
    assert rows["accuracy"]["change"] is None
    assert rows["ram"]["verdict"] == "worse"


def test_markdown_is_a_table_in_which_names_are_no_markup(
    tmp_path: Path, before: Run, after: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    after = replace(after, limits=(replace(after.limits[0], model="a|b"),), models=after.models)
    main(["compare", *reports(tmp_path, before, after), "--format", "markdown"])
    out = capsys.readouterr().out

    assert "| a\\|b | size | - | 10.0 KiB | - | - -\\> kept | added |" in out
    assert (
        "| digits | size | 20.0 KiB | - | - | kept -\\> - | removed: recipe float16 then, int8 now |"
        in out
    )


def test_two_equal_reports_are_the_same_in_every_limit(
    tmp_path: Path, before: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["compare", *reports(tmp_path, before, before)])

    assert capsys.readouterr().out.splitlines()[-1] == "6 same"


def test_an_infinite_reading_is_unmeasured(
    tmp_path: Path, before: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = run("float16", limit("mae", "number", read(float("inf"))))
    main(["compare", *reports(tmp_path, wild, wild)])

    assert "    (the reading of the first run is not finite)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a report"),
        ('{"schema": 99}', "a report of version 99, this is version 1"),
        ('{"schema": 1}', "not a whole report"),
        ('{"schema": 1, "models": 3, "tool": {"version": "1"}}', "not a whole report"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_file_that_is_no_report_is_an_error_that_says_so(
    tmp_path: Path, before: Run, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    good, _ = reports(tmp_path, before, before)
    (tmp_path / "bad.json").write_text(text)

    assert main(["compare", good, str(tmp_path / "bad.json")]) == 2
    assert said in capsys.readouterr().err


def test_a_report_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "/nowhere/a.json", "/nowhere/b.json"]) == 2
    assert "/nowhere/a.json: No such file" in capsys.readouterr().err
