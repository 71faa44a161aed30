"""The way ``ssh://user@host[:port]``: a real board, reached by OpenSSH's client."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from pytest_edgebudget.devices.accelerated import choices
from pytest_edgebudget.devices.base import Lack, Way
from pytest_edgebudget.devices.remote.board import Board, Settings
from pytest_edgebudget.devices.remote.device import RemoteDevice
from pytest_edgebudget.devices.remote.needs import lacks_there
from pytest_edgebudget.devices.runtimes import RUNTIMES
from pytest_edgebudget.devices.ssh.address import parse
from pytest_edgebudget.devices.ssh.transport import INSTALL, Ssh, program
from pytest_edgebudget.errors import EdgeBudgetError
from pytest_edgebudget.types import DeviceChoice, Profile

PYTHON = "python3"
DESKTOP = ("litert", "onnxruntime")


def open_ssh(choice: DeviceChoice) -> RemoteDevice:
    """
    The board at ``run = "ssh://..."``; connected when something is asked of it.

    Raises EdgeBudgetError for an address, or a runtime, that is none.
    """
    if choice.runtime is not None and choice.runtime not in RUNTIMES:
        raise EdgeBudgetError(
            f"there is no runtime {choice.runtime!r}", f"known: {', '.join(RUNTIMES)}"
        )
    return RemoteDevice(choice, board_at(choice.run, choice.python))


def board_at(url: str, python: str | None, settings: Settings | None = None) -> Board:
    """The board at an address, with the Python there that runs the helper and the workers."""
    return Board(Ssh(parse(url)), python or PYTHON, settings or Settings())


def look(
    url: str,
    python: str | None,
    runtimes: Sequence[str] = DESKTOP,
    *,
    energy: bool = True,
    builds: Sequence[str] = (),
) -> Sequence[Lack]:
    """
    What is missing on the board at *url*, and the commands that bring it; connects to it.

    *energy*: whether a sensor is looked for, too; *builds*: these distributions
    instead of the runtimes' usual ones. Raises EdgeBudgetError for an address
    that is none.
    """
    board = board_at(url, python)
    try:
        return list(lacks_there(board, runtimes, energy=energy, builds=builds))
    finally:
        board.close()


def _refusal(profile: Profile) -> str:
    """Boards run an operating system, and a runtime in Python."""
    if any(not RUNTIMES[name].micro for name in profile.runtimes):
        return ""
    return f"{profile.name} runs no Linux that could be reached by ssh"


def _lacks(choice: DeviceChoice) -> Sequence[Lack]:
    """The client on this machine, then what the board itself lacks; connects to it."""
    name = program()[0]
    if shutil.which(name) is None:
        return [Lack(f"{name} is not installed", INSTALL)]
    return look(
        choice.run,
        choice.python,
        choice.runtimes,
        energy=False,
        builds=choices.builds(choice) if choices.accelerated(choice) else (),
    )


WAY = Way(
    name="ssh",
    help="On a real board, reached by OpenSSH's client: ssh://user@host[:port].",
    open=open_ssh,
    refusal=_refusal,
    lacks=_lacks,
    check=parse,
)
