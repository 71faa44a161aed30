"""What the helper answers when it cannot do what it was asked."""

from __future__ import annotations


class Refusal(Exception):
    """
    A request that cannot be met; no crash.

    *kind*: "disk" (there is no room), "lease" (somebody else has the board),
    "platform" (this board cannot tell), "request" (a mistake of ours).
    """

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
