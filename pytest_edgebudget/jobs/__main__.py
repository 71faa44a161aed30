"""The child process of `pytest_edgebudget.jobs.run`: one function, one reply."""

from __future__ import annotations

import json
import os
import signal
import sys
import sysconfig
import threading
import traceback
from pathlib import Path
from typing import Any

from pytest_edgebudget.errors import EdgeBudgetError, MissingExtra
from pytest_edgebudget.jobs.resolve import resolve

PACKAGE = str(Path(__file__).parent.parent)
MESSAGE_LIMIT = 1500


def main() -> None:
    """Read the request, call the function, write value or error."""
    _leave_no_core()
    pipe = _take_stdin()
    request = json.loads(pipe.readline())
    threading.Thread(target=_die_with_parent, args=(pipe,), daemon=True).start()
    _extend_path(request["root"], request["path"])
    reply = Path(request["reply"])
    part = reply.with_suffix(".part")
    part.write_text(json.dumps(_call(request)), encoding="utf-8")
    part.replace(reply)
    sys.stdout.flush()
    os._exit(0)  # ML libraries like to crash while they shut down


def _leave_no_core() -> None:
    """A crash is reported; a core file in the user's folder would be litter."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _take_stdin() -> Any:
    """Keep the parent's pipe for ourselves: user code finds an empty stdin."""
    pipe = os.fdopen(os.dup(0), "rb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return pipe


def _die_with_parent(pipe: Any) -> None:
    while pipe.read(4096):
        pass
    if hasattr(os, "killpg"):
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def _extend_path(root: str, parent_path: list[str]) -> None:
    """*root* first; what the parent could import, this process can, too."""
    known = set(sys.path)
    sys.path[:] = [root, *sys.path, *(entry for entry in parent_path if entry not in known)]


def _call(request: dict[str, Any]) -> dict[str, Any]:
    try:
        value = resolve(request["function"])(request["payload"])
        json.dumps(value)
    except MissingExtra as error:
        return _reply(error, library=error.library, extra=error.extra, purpose=error.purpose)
    except EdgeBudgetError as error:
        return _reply(error)
    except BaseException as error:  # whatever it is, the parent must hear of it
        return {"error": {"kind": "", "message": _sentence(error), "hint": _where(error)}}
    return {"value": value}


def _reply(error: EdgeBudgetError, **more: str) -> dict[str, Any]:
    kind = type(error).__name__
    return {"error": {"kind": kind, "message": error.message, "hint": error.hint, **more}}


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if len(text) > MESSAGE_LIMIT:
        text = text[:MESSAGE_LIMIT] + " ..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _where(error: BaseException) -> str:
    """The innermost line of the user's own code, or nothing."""
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if _is_users(frame.filename):
            return f"at {frame.filename}:{frame.lineno}, in {frame.name}: {frame.line}"
    return ""


def _is_users(filename: str) -> bool:
    paths = sysconfig.get_paths()
    libraries = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return not filename.startswith((PACKAGE, "<", *libraries))


if __name__ == "__main__":
    main()
