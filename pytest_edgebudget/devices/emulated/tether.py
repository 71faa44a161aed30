"""
What goes before the command of an emulator: it ends with us, has little memory and no network.

Programs of util-linux, each of which replaces itself with the next: the
process that we start is the emulator's in the end. Those that are not there,
or not allowed, are left out.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

MIB = 2**20


def tether(memory: int | None = None) -> list[str]:
    """
    The words before a command.

    *memory*: bytes of address space that it may have at most, what the emulator
    itself needs included. Programs in it get a clean "no memory" then; with a
    limit of data alone QEMU 7.2 hangs.
    """
    words = []
    if memory is not None and (limit := shutil.which("prlimit")):
        words += [limit, f"--as={memory}:{memory}", "--core=0:0"]
    words += _no_network()
    # A worker in the middle of a model does not see that its pipe was closed.
    if end := shutil.which("setpriv"):
        words += [end, "--pdeathsig", "KILL"]
    return words


@functools.cache
def _no_network() -> tuple[str, ...]:
    """A network of its own with nothing in it, where the system gives one for nothing."""
    program = shutil.which("unshare")
    if program is None:
        return ()
    # In a user namespace root may not read what others own: it needs none.
    own = () if os.geteuid() == 0 else ("--user", "--map-current-user")
    words = (program, *own, "--net")
    try:
        tried = subprocess.run([*words, "true"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return words if tried.returncode == 0 else ()
