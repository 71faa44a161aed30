"""The helper's program as one text, and the command that starts it."""

from __future__ import annotations

import functools
import zlib
from pathlib import Path

from pytest_edgebudget.devices.remote.connection import TOO_OLD
from pytest_edgebudget.devices.remote.transport import in_shell

AGENT = Path(__file__).parent / "agent"
MACHINE = Path(__file__).parents[2] / "worker" / "machine.py"
MODULES = ("refusal", "channel", "shelf", "lease", "state", "sensors", "meter", "main")
"""In an order in which each finds those that it imports."""

OLDEST = (3, 7)

# One line without single quotes, backslashes and exclamation marks: every shell hands it on.
START = (
    "import os,sys,zlib;sys.version_info<{oldest} and sys.exit({too_old});n={size};b=bytearray();"
    'exec("while len(b)<n: b+=os.read(0,n-len(b)) or sys.exit(0)");exec(zlib.decompress(bytes(b)))'
)

LOADER = """
import sys, types
package = types.ModuleType("edgebudget_agent")
package.__path__ = []
sys.modules["edgebudget_agent"] = package
for name, text in sources.items():
    module = types.ModuleType("edgebudget_agent." + name)
    module.__package__ = "edgebudget_agent"
    sys.modules[module.__name__] = module
    setattr(package, name, module)
    exec(compile(text, "<edgebudget " + name + ">", "exec"), module.__dict__)
package.main.main(settings, package.machine.describe)
"""


@functools.cache
def _sources() -> dict[str, str]:
    files = {"machine": MACHINE, **{name: AGENT / f"{name}.py" for name in MODULES}}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items()}


def program(settings: dict[str, object]) -> bytes:
    """The helper with its *settings*, as `command` wants it on its stdin."""
    text = f"sources = {_sources()!r}\nsettings = {settings!r}\n{LOADER}"
    return zlib.compress(text.encode(), 9)


def command(python: str, size: int) -> str:
    """The command line that starts a helper of *size* bytes in *python*."""
    code = START.format(oldest=OLDEST, too_old=TOO_OLD, size=size)
    return in_shell(python, "-E", "-B", "-c", code)
