"""What the worker answers when it cannot do what it was asked."""

from __future__ import annotations


class Refusal(Exception):
    """
    A request that cannot be met: not a crash, and no traceback.

    *kind* says whose fault it is: "runtime" (not installed, or not usable
    here), "model" (the runtime refuses it), "data" (it does not fit the
    model), "platform" (this machine cannot tell), "request" (a mistake in the
    protocol).
    """

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
