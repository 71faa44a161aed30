"""
What a worker may not do: models and data come from anywhere.

No core file, no more memory than most of the machine's, and on Linux no
network: the process moves into a network namespace of its own in which there
is no device, which takes under a millisecond and needs no rights. Where a
system does not let it, the worker goes on without.

Sources: setrlimit(2), unshare(2), user_namespaces(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

_NEWUSER, _NEWNET = 0x10000000, 0x40000000
_SHARE = 0.8  # of the machine's memory


def confine() -> None:
    """To be called before any library has started a thread."""
    with contextlib.suppress(ImportError):  # Windows
        import resource

        _lower(resource.RLIMIT_CORE, 0)  # it would lie in somebody's project
        with contextlib.suppress(ValueError, OSError):
            memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
            _lower(resource.RLIMIT_DATA, int(memory * _SHARE))
    if sys.platform.startswith("linux"):
        _leave_the_network()


def _lower(limit: int, value: int) -> None:
    """Set the soft limit, never above the hard one."""
    import resource

    hard = resource.getrlimit(limit)[1]
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (allowed, hard))


def _leave_the_network() -> None:
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    # Root needs no namespace of users, in which it would lose its rights over files.
    if unshare is not None and unshare(_NEWNET) != 0:
        unshare(_NEWUSER | _NEWNET)
