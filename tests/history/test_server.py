"""The history on a real PostgreSQL server: many writers, an outage, no word of the password."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_edgebudget.cli import main
from pytest_edgebudget.history import sql
from pytest_edgebudget.history.database import Away, Query
from tests.history.conftest import Server, row


def stored(server: Server) -> list[str]:
    from pytest_edgebudget.history.server import ServerDatabase

    database = ServerDatabase(server.url)
    try:
        return [each.id for each in database.rows(Query())]
    finally:
        database.close()


def configure(project: Path, server: Server) -> None:
    (project / "pyproject.toml").write_text(f'[tool.edgebudget]\nhistory = "{server.url}"\n')


def test_a_run_keeps_its_readings_on_the_server(
    project: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project, server)
    assert main(["check", "pi4.toml"]) == 0
    capsys.readouterr()
    assert main(["history", "--format", "json"]) == 0
    series = json.loads(capsys.readouterr().out)["series"]

    assert [(each["metric"], len(each["readings"])) for each in series] == [
        ("macs", 1),
        ("size", 1),
    ]


def test_twenty_writers_at_once_lose_nothing(server: Server) -> None:
    from pytest_edgebudget.history.server import ServerDatabase

    def write(writer: int) -> None:
        database = ServerDatabase(server.url)
        for number in range(10):
            database.add([row(100 * writer + number)])
        database.close()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))

    expected = {f"id-{100 * writer + number}" for writer in range(20) for number in range(10)}
    assert (len(stored(server)), set(stored(server))) == (200, expected)


def test_a_server_that_goes_away_in_mid_run_gets_its_readings_later(
    project: Path, server: Server
) -> None:
    from pytest_edgebudget.history.keeper import Keeper
    from pytest_edgebudget.report.base import LimitRow, ReadingRow

    configure(project, server)
    after = ReadingRow(value=1.0, low=1.0, high=1.0, evidence="exact", noisy=False, key={})
    limit = LimitRow(
        id="f::m::size", file="f", model="m", metric="size", unit="B", better="lower",
        outcome="kept", status="kept", fails=False, line=1, after=after,
    )  # fmt: skip
    keeper = Keeper()
    keeper.add(project, limit, None)
    server.down()
    for _ in range(3):
        keeper.add(project, limit, None)
    told = keeper.told()
    server.up()
    again = Keeper()
    again.add(project, limit, None)

    assert "3 readings wait in" in told[0]
    assert again.told() == ["history: delivered 3 readings that had waited"]
    assert len(stored(server)) == len(set(stored(server))) == 5
    assert not list((project / ".edgebudget_history" / "spool").glob("*.jsonl"))


def test_a_wrong_password_is_told_without_the_password(
    project: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = server.url.replace("team@", "team:wr0ng-word@")
    monkeypatch.setenv("EDGEBUDGET_HISTORY", address)
    monkeypatch.delenv("PGPASSWORD")
    command = [sys.executable, "-m", "pytest", "-q", "--edge-budget", "pi4.toml"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ran.returncode == 0
    assert "password authentication failed" in ran.stdout
    assert "2 readings wait in" in ran.stdout
    assert "wr0ng-word" not in ran.stdout + ran.stderr


def test_a_database_of_a_later_version_is_not_written(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_edgebudget.history.server import ServerDatabase

    monkeypatch.setattr(sql, "MIGRATIONS", [])
    with pytest.raises(Away, match="is of version 1, this program knows version 0"):
        ServerDatabase(server.url)


def test_a_server_that_is_not_there_changes_no_verdict(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sqlalchemy", reason="the extra history is not installed")
    pytest.importorskip("psycopg", reason="the extra history is not installed")
    address = "postgresql://team@127.0.0.1:1/db"
    (project / "pyproject.toml").write_text(f'[tool.edgebudget]\nhistory = "{address}"\n')

    assert main(["check", "pi4.toml"]) == 0
    assert "2 readings wait in" in capsys.readouterr().err
    assert main(["history"]) == 2
    assert "postgresql://127.0.0.1:1/db: connection failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('"postgresql://team:s3cret-word@db/x"', "holds a password for postgresql://db/x"),
        ('"mysql://db/x"', "the history cannot be kept in mysql://"),
        ("3", "must be a path, an address, true or false"),
        ('"postgresql://db:99999999/x"', "address cannot be read"),
    ],
)
def test_a_wrong_address_is_a_usage_error(
    project: Path, capsys: pytest.CaptureFixture[str], written: str, said: str
) -> None:
    (project / "pyproject.toml").write_text(f"[tool.edgebudget]\nhistory = {written}\n")

    assert main(["check", "pi4.toml"]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "s3cret-word" not in told
