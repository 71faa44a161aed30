"""
A stand-in for adb: NO PHONE, and not Android's client.

Commands for the phone are run by this machine's shell, and the phone's folder
``/data/local/tmp`` is a folder of the test's. What it shows: which commands are
sent, in which order, with which quotes; not what a phone does with them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

PROGRAM = """\
#!{python}
import json, os, shutil, subprocess, sys
PHONE, LOG, LOST = {phone!r}, {log!r}, {lost!r}
words = sys.argv[1:]
with open(LOG, "a") as log:
    log.write(json.dumps(words) + "\\n")
assert words[0] == "-s", words
serial, verb, rest = words[1], words[2], words[3:]
if serial != "R58M123" or os.path.exists(LOST):
    sys.exit(f"error: device '{{serial}}' not found")
def here(text):
    return text.replace("/data/local/tmp", PHONE)
if verb == "get-state":
    print("device")
elif verb == "push":
    shutil.copyfile(rest[0], here(rest[1]))
    print(f"{{rest[0]}}: 1 file pushed.")
elif verb == "shell":
    assert rest[0] == "-T" and len(rest) == 2, rest
    os.execvpe("sh", ["sh", "-c", here(rest[1])], {{**os.environ, "PATH": PHONE + "/bin:" + os.environ["PATH"]}})
else:
    sys.exit(f"adb: unknown command {{verb}}")
"""

GETPROP = """\
#!/bin/sh
case $1 in
  ro.soc.model) echo SM8550 ;;
  ro.board.platform) echo kalama ;;
  *) echo "Galaxy S23" ;;
esac
"""


class StandIn:
    """The program *path*, the folder that stands for the phone's, and what was asked."""

    def __init__(self, folder: Path) -> None:
        self.phone = folder / "phone"
        (self.phone / "bin").mkdir(parents=True)
        self.path = folder / "adb"
        self._log = folder / "log"
        self._lost = folder / "lost"
        self._log.write_text("")
        self._executable(self.path, PROGRAM.format(
            python=sys.executable, phone=str(self.phone), log=str(self._log), lost=str(self._lost)
        ))  # fmt: skip
        self._executable(self.phone / "bin" / "getprop", GETPROP)

    @property
    def asked(self) -> list[list[str]]:
        """The words of each call."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def unplug(self) -> None:
        self._lost.touch()

    def plug_in(self) -> None:
        self._lost.unlink()

    def _executable(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)
