"""What a board must have, and the commands that bring it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_edgebudget.devices.base import CannotTell, Lack
from pytest_edgebudget.devices.remote.board import Board
from pytest_edgebudget.devices.remote.bundle import OLDEST
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.errors import DeviceError, MissingExtra

VENV = "~/.edgebudget"
NARROW = ("armv6l", "armv7l")  # for which only tflite-runtime has wheels


def missing_there(
    runtime: str, board: Board, hello: Mapping[str, Any], distribution: str = ""
) -> MissingExtra:
    """The error for a runtime, or a *distribution* of it, that the board does not have."""
    info = RUNTIMES[runtime]
    name = distribution or info.distribution
    formats = " and ".join(f".{fmt}" for fmt in info.formats)
    error = MissingExtra(name, info.extra, f"running {formats} models on {board.name}")
    error.hint = install(name, board, hello)
    return error


def install(distribution: str, board: Board, hello: Mapping[str, Any]) -> str:
    """
    The command, typed here, that installs a distribution over there.

    Where the system keeps pip out of its Python (PEP 668), one with an
    environment of its own.
    """
    what = f"{distribution}==2.14.0 'numpy<2'" if distribution == "tflite-runtime" else ""
    what = what or " ".join(dict.fromkeys((distribution, "numpy")))
    if hello["managed"]:
        made = f"{board.python} -m venv {VENV} && {VENV}/bin/pip install {what}"
        return f'{board.transport.shell} "{made}", and python = "{VENV}/bin/python" in [device]'
    return f'{board.transport.shell} "{board.python} -m pip install {what}"'


def lacks_there(
    board: Board,
    runtimes: Sequence[str],
    *,
    energy: bool = True,
    builds: Sequence[str] = (),
) -> Iterator[Lack]:
    """What is missing on a board, of the runtimes or of certain *builds*; connects to it."""
    try:
        names = [*builds] or [RUNTIMES[name].distribution for name in runtimes]
        hello = board.ask("hello", "looking around", distributions=["numpy", *names])
    except DeviceError as error:
        yield _unreachable(board, error)
        return
    for name in ["numpy", *(n for n in names if not _useless(n, hello["machine"]))]:
        if not hello["versions"].get(name):
            yield Lack(f"{name} in {board.python} on {board.name}", install(name, board, hello))
    if energy:
        yield from _sensor(board)


def _useless(distribution: str, machine: str) -> bool:
    return distribution == "ai-edge-litert" and machine in NARROW


def _unreachable(board: Board, error: DeviceError) -> Lack:
    shell = board.transport.shell
    if error.message.endswith(f"has no {board.python}"):
        version = ".".join(map(str, OLDEST))
        return Lack(
            f"{board.python} on {board.name} (Python {version} or newer)",
            f"{shell} sudo apt-get install python3 python3-pip python3-venv",
        )
    return Lack(error.message, error.hint)


def _sensor(board: Board) -> Iterator[Lack]:
    try:
        board.ask("meter", "looking for a sensor of energy", command=[])
        board.ask("unmeter", "closing the energy meter")
    except CannotTell as error:
        yield Lack(f"energy: {error.message}", error.hint)
