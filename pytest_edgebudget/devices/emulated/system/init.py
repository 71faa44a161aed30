"""
The first and only program of the emulated computer: weighs a model under a ceiling.

It reads what to do from ``/task.json``, starts the worker in a group of
processes whose memory has a ceiling, asks it, writes one line of JSON behind a
mark on the serial line, and switches the computer off. Standard library only.

Sources: mount(2), reboot(2); Linux, Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

MARK = "edgebudget:"
GROUP = Path("/sys/fs/cgroup/model")
MOUNTS = (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("cgroup2", "/sys/fs/cgroup"))
_POWER_OFF = 0x4321FEDC


def main() -> None:
    """Weigh, tell, switch off; whatever happens."""
    try:
        _mount()
        task = json.loads(Path("/task.json").read_text(encoding="utf-8"))
        result = _weigh(task)
    except Exception as error:  # there is nobody else to tell it
        result = {"failed": f"{type(error).__name__}: {error}"}
    sys.stdout.write(f"\n{MARK}{json.dumps(result)}\n")
    sys.stdout.flush()
    ctypes.CDLL(None).reboot(_POWER_OFF)


def _mount() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for kind, where in MOUNTS:
        Path(where).mkdir(exist_ok=True)
        if libc.mount(kind.encode(), where.encode(), kind.encode(), 0, None):
            raise OSError(ctypes.get_errno(), f"mounting {where}")


def _weigh(task: dict[str, Any]) -> dict[str, Any]:
    """So many fresh workers, one after another; the peak is of them all."""
    Path("/sys/fs/cgroup/cgroup.subtree_control").write_text("+memory", encoding="ascii")
    GROUP.mkdir()
    (GROUP / "memory.max").write_text(str(task["ceiling"]), encoding="ascii")
    replies = []
    for _ in range(task["weighings"]):
        replies.append(_ask(task))
        if "ok" not in replies[-1]:
            break
    events = dict(line.split() for line in (GROUP / "memory.events").read_text().splitlines())
    return {
        "replies": replies,
        "killed": int(events["oom_kill"]),
        "peak": int((GROUP / "memory.peak").read_text()),
        "kernel": os.uname().release,
    }


def _ask(task: dict[str, Any]) -> dict[str, Any]:
    """The worker's last reply; none where it ended before."""
    asked = [
        {"op": "hello", "runtime": task["runtime"]},
        {"op": "memory", "path": task["model"], "threads": task["threads"]},
    ]
    worker = subprocess.run(
        task["command"],
        input="".join(json.dumps(request) + "\n" for request in asked),
        env=task["environment"],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        preexec_fn=_join,
    )
    replies = [json.loads(line) for line in worker.stdout.splitlines()]
    replies = [reply for reply in replies if "progress" not in reply]
    failed = [reply for reply in replies if "error" in reply]
    if failed or len(replies) == len(asked):
        return dict(failed[0] if failed else replies[-1])
    return {"status": worker.returncode, "said": worker.stderr.splitlines()[-4:]}


def _join() -> None:
    (GROUP / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")


if __name__ == "__main__":
    main()
