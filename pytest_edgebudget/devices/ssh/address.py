"""``ssh://user@host[:port]``, read with care: it ends on a command line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_edgebudget.errors import EdgeBudgetError

# As OpenSSH 9.6 refuses them: nothing that a shell, or ssh's own options, could take for more.
USER = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
HOST = r"[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?\]"
URL = re.compile(rf"ssh://(?:(?P<user>{USER})@)?(?P<host>{HOST})(?::(?P<port>[0-9]{{1,5}}))?/?")
LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """*host*, as the user's ssh knows it; *user* and *port* where the budget says them."""

    host: str
    user: str = ""
    port: int | None = None

    @property
    def destination(self) -> str:
        """``user@host``."""
        return f"{self.user}@{self.host}" if self.user else self.host

    @property
    def url(self) -> str:
        """As it was written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user else ""
        return f"ssh://{user}{host}" + (f":{self.port}" if self.port is not None else "")


def parse(url: str) -> Address:
    """Raises EdgeBudgetError for anything but ``ssh://user@host[:port]``."""
    match = URL.fullmatch(url)
    port = int(match["port"]) if match and match["port"] else None
    if match is None or (port is not None and not 0 < port <= LAST_PORT):
        raise EdgeBudgetError(
            f"run = {url!r} is no address of a board",
            "write ssh://user@host or ssh://user@host:port; "
            "everything else belongs in ~/.ssh/config",
        )
    return Address(match["host"].strip("[]"), match["user"] or "", port)
