"""The loop that answers requests."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from .channel import Channel
from .operations import Operations, error_text
from .refusal import Refusal

Operation = Callable[..., "dict[str, Any]"]


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    _leave_no_core()
    channel = Channel()
    work = Operations(channel.progress)
    operations: dict[str, Operation] = {
        "hello": work.hello,
        "load": work.load,
        "run": work.run,
        "time": work.time,
        "count": work.count,
        "memory": work.memory,
        "arena": work.arena,
        "placement": work.placement,
    }
    for request in channel.requests():
        _answer(channel, operations, request)
    # No tidying up: ONNX Runtime's WebGPU crashes while it is unloaded.
    sys.stderr.flush()
    os._exit(0)


def _leave_no_core() -> None:
    """A crash is reported; its core file would lie in somebody's project."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _answer(channel: Channel, operations: dict[str, Operation], request: dict[str, Any]) -> None:
    name = request.pop("op", None)
    operation = operations.get(name or "")
    try:
        if operation is None:
            raise Refusal(
                "request", f"unknown operation {name!r}", f"known: {', '.join(operations)}"
            )
        channel.reply(operation(**request))
    except Refusal as refusal:
        channel.refuse(refusal.kind, refusal.message, refusal.hint)
    except MemoryError:
        channel.refuse("memory", f"not enough memory for {name}")
    except Exception as error:  # told to the parent, who knows what was being done
        sys.excepthook(type(error), error, error.__traceback__)
        channel.refuse("internal", error_text(error))
