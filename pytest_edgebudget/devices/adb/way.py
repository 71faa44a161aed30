"""The way ``adb://SERIAL``: a phone, with a Python on it or with the user's benchmark_model."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pytest_edgebudget.devices.adb.benchmark import BenchmarkDevice
from pytest_edgebudget.devices.adb.phone import Phone
from pytest_edgebudget.devices.adb.transport import INSTALL, PHONE_TMP, Adb, parse, program
from pytest_edgebudget.devices.base import Device, Lack, Way
from pytest_edgebudget.devices.remote.board import Board, Settings
from pytest_edgebudget.devices.remote.device import RemoteDevice
from pytest_edgebudget.devices.remote.needs import lacks_there
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.types import DeviceChoice, Profile

PYTHON = "python3"
STATE = 20.0  # seconds for adb's server to start, and to answer


def open_adb(choice: DeviceChoice) -> Device:
    """
    The phone at ``run = "adb://SERIAL"``; connected when something is asked of it.

    Raises EdgeBudgetError for an address, a runtime, or a tool that is none.
    """
    adb = Adb(parse(choice.run))
    if choice.runtime is not None and choice.runtime not in RUNTIMES:
        raise EdgeBudgetError(
            f"there is no runtime {choice.runtime!r}", f"known: {', '.join(RUNTIMES)}"
        )
    if choice.benchmark is not None:
        return BenchmarkDevice(choice, Phone(adb), _tool(choice.benchmark))
    return RemoteDevice(choice, _board(adb, choice.python))


def _board(adb: Adb, python: str | None) -> Board:
    return Board(adb, python or PYTHON, Settings(lease=PHONE_TMP))


def _tool(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise EdgeBudgetError(
            f"benchmark = {name!r}: there is no such file",
            "name LiteRT's benchmark_model, built for the phone's processor",
        )
    return path


def _refusal(profile: Profile) -> str:
    """Phones run Android, and a runtime on it."""
    if any(not RUNTIMES[name].micro for name in profile.runtimes):
        return ""
    return f"{profile.name} runs no Android"


def _lacks(choice: DeviceChoice) -> Sequence[Lack]:
    """The client on this machine, then the phone, then what is missing on it; connects to it."""
    adb = Adb(parse(choice.run))
    if shutil.which(program()[0]) is None:
        return [Lack(f"{program()[0]} is not installed", INSTALL)]
    try:
        state = subprocess.run(
            [*program(), "-s", adb.serial, "get-state"],
            capture_output=True,
            text=True,
            timeout=STATE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [Lack(f"{adb.name} gives no answer", "adb reconnect")]
    if state.returncode != 0 or state.stdout.strip() != "device":
        said = (state.stderr or state.stdout).strip().splitlines()[-1:] or [""]
        return [Lack(f"{adb.name} is not there: {said[0]}", adb.advice(said[0]))]
    if choice.benchmark is not None:
        return []
    board = _board(adb, choice.python)
    try:
        return list(lacks_there(board, choice.runtimes, energy=False))
    finally:
        board.close()


WAY = Way(
    name="adb",
    help="On a phone, reached by Android's adb: adb://SERIAL. Experimental.",
    open=open_adb,
    refusal=_refusal,
    lacks=_lacks,
    check=parse,
)
