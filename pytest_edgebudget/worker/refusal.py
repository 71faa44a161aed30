"""What the worker answers when it cannot do what it was asked."""

from __future__ import annotations


class Refusal(Exception):
    """
    A request that cannot be met: not a crash, and no traceback.

    *kind* says whose fault it is: "missing" (the runtime is not installed),
    "runtime" (it cannot be used here), "model" (the runtime refuses it), "data"
    (it does not fit the model), "memory" (there was not enough), "platform"
    (this machine cannot tell), "request" or "internal" (a mistake of ours).
    """

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint


def not_imported(distribution: str, error: ImportError) -> Refusal:
    """Why a runtime is not there: not installed, or installed and broken."""
    kind = "missing" if isinstance(error, ModuleNotFoundError) else "runtime"
    return Refusal(kind, f"{distribution} cannot be imported: {error}")
