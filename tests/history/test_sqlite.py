"""The history in a file: kills, other jobs, damage, other versions."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_edgebudget.cli import main
from pytest_edgebudget.history import sql
from pytest_edgebudget.history.database import Away, Query
from pytest_edgebudget.history.sqlite import SqliteDatabase
from tests.history.conftest import row

FILE = Path(".edgebudget_history", "history.sqlite")
WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from pytest_edgebudget.history.sqlite import SqliteDatabase
from tests.history.conftest import row
database = SqliteDatabase(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    database.add([row(number)])
    print(number, flush=True)
"""


def writer(path: Path, first: int, end: int) -> subprocess.Popen[str]:
    root = str(Path(__file__).parent.parent.parent)
    return subprocess.Popen(
        [sys.executable, "-c", WRITER.format(root=root), str(path), str(first), str(end)],
        stdout=subprocess.PIPE,
        text=True,
    )


def ids(path: Path) -> set[str]:
    database = SqliteDatabase(path)
    try:
        return {each.id for each in database.rows(Query())}
    finally:
        database.close()


def test_a_run_keeps_every_reading_with_its_commit(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["init", "-q", "-b", "trunk"], ["add", "pi4.toml", "digits.tflite"]):
        subprocess.run(["git", *words], check=True)
    who = ["-c", "user.name=n", "-c", "user.email=n@example.org"]
    subprocess.run(["git", *who, "commit", "-q", "-m", "m"], check=True)
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()
    assert main(["check", "pi4.toml"]) == 0
    (project / "pi4.toml").write_text((project / "pi4.toml").read_text() + "# dirty\n")
    assert main(["check", "pi4.toml"]) == 0
    capsys.readouterr()

    assert main(["history", "--format", "json"]) == 0
    series = json.loads(capsys.readouterr().out)["series"]
    assert [each["metric"] for each in series] == ["macs", "size"]
    readings = series[1]["readings"]
    assert [(r["commit_id"], r["branch"], r["dirty"]) for r in readings] == [
        (commit, "trunk", 0),
        (commit, "trunk", 1),
    ]
    assert readings[0]["value"] == (project / "digits.tflite").stat().st_size
    assert (readings[0]["recipe"], readings[0]["status"]) == ("none", "kept")
    status = subprocess.check_output(["git", "status", "--porcelain"], text=True)
    assert ".edgebudget_history" not in status


def test_a_project_without_git_keeps_its_readings_too(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    main(["check", "pi4.toml"])
    capsys.readouterr()
    main(["history", "digits", "size"])

    assert "no commit  -       75.1 KiB  kept     none" in capsys.readouterr().out


def test_a_history_that_is_off_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pyproject.toml").write_text("[tool.edgebudget]\nhistory = false\n")

    assert main(["check", "pi4.toml"]) == 0
    assert not FILE.parent.exists()
    assert main(["history"]) == 2
    assert "this project keeps no history" in capsys.readouterr().err


def test_pytest_with_xdist_keeps_each_reading_once(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--edge-budget", "pi4.toml"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    main(["history", "--format", "json"])
    series = json.loads(capsys.readouterr().out)["series"]

    assert [(each["metric"], len(each["readings"])) for each in series] == [
        ("macs", 1),
        ("size", 1),
    ]


def test_jobs_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    jobs = [writer(path, 40 * n, 40 * n + 40) for n in range(4)]
    for job in jobs:
        job.communicate()

    assert [job.returncode for job in jobs] == [0, 0, 0, 0]
    assert ids(path) == {f"id-{n}" for n in range(160)}


def test_a_killed_job_loses_at_most_the_reading_being_written(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    job = writer(path, 0, 1_000_000)
    assert job.stdout is not None
    said = [int(job.stdout.readline()) for _ in range(50)]
    job.kill()
    said += [int(line) for line in job.communicate()[0].split()]

    assert ids(path) >= {f"id-{n}" for n in said}
    assert len(ids(path)) <= len(said) + 1


@pytest.mark.parametrize("damage", ["no database at all" * 100, "middle"])
def test_a_damaged_file_is_set_aside_and_said(
    project: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    main(["check", "pi4.toml"])
    raw = bytearray(FILE.read_bytes())
    if damage == "middle":
        raw[100:1500] = b"\xff" * 1400
    else:
        raw = bytearray(damage.encode())
    FILE.write_bytes(raw)
    capsys.readouterr()

    assert main(["check", "pi4.toml"]) == 0
    told = capsys.readouterr().err
    kept = [path for path in FILE.parent.iterdir() if ".sqlite.damaged-" in path.name]
    assert "was set aside as history.sqlite.damaged-" in told
    assert bytes(raw) in [path.read_bytes() for path in kept]
    assert len(ids(FILE)) == 2


def test_a_file_of_a_later_version_is_left_alone_and_readings_wait_for_it(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["check", "pi4.toml"])
    connection = sqlite3.connect(FILE)
    connection.execute("UPDATE edgebudget_meta SET version = 2")
    connection.commit()
    connection.close()
    before = FILE.read_bytes()
    capsys.readouterr()

    assert main(["check", "pi4.toml"]) == 0
    told = capsys.readouterr().err
    assert "is of version 2, this program knows version 1: it is left alone" in told
    assert "2 readings wait in" in told
    assert FILE.read_bytes() == before
    monkeypatch.setattr(sql, "MIGRATIONS", [*sql.MIGRATIONS, ()])
    assert main(["check", "pi4.toml"]) == 0
    assert "delivered 2 readings that had waited" in capsys.readouterr().err
    assert len(ids(FILE)) == 6


def test_an_older_file_is_brought_forward_with_all_its_readings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "h.sqlite"
    database = SqliteDatabase(path)
    database.add([row(1)])
    database.close()
    step = ("ALTER TABLE edgebudget_reading ADD COLUMN room TEXT",)
    monkeypatch.setattr(sql, "MIGRATIONS", [*sql.MIGRATIONS, step])

    assert ids(path) == {"id-1"}
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT version FROM edgebudget_meta").fetchall() == [(2,)]
    assert connection.execute("SELECT room FROM edgebudget_reading").fetchall() == [(None,)]
    connection.close()


def test_a_place_that_cannot_be_written_changes_no_verdict(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    FILE.parent.write_text("a file where the folder should be")

    assert main(["check", "pi4.toml"]) == 0
    assert "history: readings of this run were not kept: " in capsys.readouterr().err


FULL = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from pytest_edgebudget.history.database import Away
from pytest_edgebudget.history.sqlite import SqliteDatabase
from tests.history.conftest import row
database = SqliteDatabase(Path(sys.argv[1]))
database.add([row(1)])
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
try:
    for number in range(2, 10_000):
        database.add([row(number)])
except Away as error:
    print(error.message)
"""


@pytest.mark.skipif(os.name == "nt", reason="limits of processes are Unix's")
def test_a_disk_that_is_full_is_told_and_what_was_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    root = str(Path(__file__).parent.parent.parent)
    command = [sys.executable, "-c", FULL.format(root=root), str(path)]
    told = subprocess.check_output(command, text=True)

    assert str(path) in told
    assert "id-1" in ids(path)


def test_readings_come_in_the_order_of_arrival_when_the_clock_goes_backwards(
    tmp_path: Path,
) -> None:
    database = SqliteDatabase(tmp_path / "h.sqlite")
    database.add([row(1, at=2000.0, value=1.0)])
    database.add([row(2, at=1000.0, value=2.0)])

    assert [each.value for each in database.rows(Query())] == [1.0, 2.0]
    database.close()


def test_a_locked_file_is_away_and_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_edgebudget.history.sqlite.WAIT", 0.1)
    path = tmp_path / "h.sqlite"
    database, other = SqliteDatabase(path), sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Away, match="locked"):
        database.add([row(1)])
    other.execute("ROLLBACK")
    database.add([row(1)])
    database.close()
    other.close()


def test_prune_removes_what_is_older(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "pi4.toml"])
    database = SqliteDatabase(FILE)
    database.add([row(1, at=1000.0)])
    database.close()
    capsys.readouterr()

    assert main(["history", "prune", "--older-than", "90 d"]) == 0
    assert capsys.readouterr().out == "removed 1 readings\n"
    assert len(ids(FILE)) == 2
    assert main(["history", "prune"]) == 2
    assert main(["history", "prune", "--older-than", "90 parsecs"]) == 2


def test_a_report_of_another_run_is_imported_once(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pyproject.toml").write_text('[tool.edgebudget]\nhistory = "team.sqlite"\n')
    main(["check", "pi4.toml", "--report", "json:out.json"])
    (project / "team.sqlite").unlink()
    for _ in range(2):
        assert main(["history", "import", "out.json", "--commit", "abc", "--branch", "b"]) == 0
    capsys.readouterr()
    main(["history", "--format", "csv"])
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == 3
    assert all(",abc,b,0,pi4.toml,digits," in line for line in lines[1:])
