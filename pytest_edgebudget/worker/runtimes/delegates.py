"""External delegates: what the library of an accelerator takes of a model, by the graph itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..acceleration import Acceleration
from ..refusal import Refusal
from .interpreter import InterpreterModel, InterpreterRuntime

DELEGATE = "DELEGATE"
"""The operator that stands for what a delegate took."""


class DelegatedRuntime(InterpreterRuntime):
    """An interpreter with the external delegate that was asked for."""

    def __init__(
        self,
        name: str,
        version: str,
        interpreter: Callable[..., Any],
        load_delegate: Callable[..., Any],
        acceleration: Acceleration,
    ) -> None:
        super().__init__(name, version, interpreter)
        self._load_delegate = load_delegate
        self._asked = acceleration

    def load(self, path: str, threads: int) -> DelegatedModel:
        """Load the delegate's library, give it the model, plan and allocate."""
        library = Path(self._asked.delegate).name
        return DelegatedModel(lambda: self._make(path, threads), library)

    def _make(self, path: str, threads: int) -> Any:
        delegate = self._delegate()
        try:
            return self._interpreter(
                model_path=path, num_threads=threads, experimental_delegates=[delegate]
            )
        except RuntimeError as error:
            # Without the delegate? Then it is the delegate's fault.
            self._interpreter(model_path=path, num_threads=threads)
            raise Refusal(
                "model", f"the delegate {self._asked.delegate} fails on this model: {error}"
            ) from error

    def _delegate(self) -> Any:
        name = self._asked.delegate
        try:
            return self._load_delegate(name, dict(self._asked.options))
        except AttributeError as error:
            message = f"{name} is no delegate: it has no tflite_plugin_create_delegate"
            raise Refusal("accelerator", message) from error
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise Refusal(
                "accelerator", f"the delegate {name} cannot be loaded: {reason}"
            ) from error


class DelegatedModel(InterpreterModel):
    """A model of which a delegate took what it would; see `base.Model`."""

    software = False

    def __init__(self, make: Callable[[], Any], library: str) -> None:
        self.accelerator = library
        super().__init__(lambda: self._looked_at(make()))

    def _looked_at(self, interpreter: Any) -> Any:
        # Now, before tensors are allocated: later XNNPACK takes of the rest what it can.
        self._operators: list[dict[str, Any]] = interpreter._get_ops_details()
        return interpreter

    @property
    def idle(self) -> str:
        """That the delegate takes nothing; empty where it takes something."""
        if pieces(self._operators):
            return ""
        return f"the delegate {self.accelerator} takes not one operator of the model"

    def placement(self) -> dict[str, Any]:
        """What the delegate took: *pieces*, the numbers of operators in each of so many."""
        operators = [op for op in self._operators if op["op_name"] != DELEGATE]
        return {
            "how": "graph",
            "operators": len(operators),
            "pieces": pieces(self._operators),
        }


def pieces(operators: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """
    The numbers of the operators that each delegated piece stands for.

    *operators* as the interpreter tells them: the model's own, then one for each
    piece, with the tensors that enter and leave it. A piece is what lies between.
    """
    makers = {
        int(tensor): number
        for number, op in enumerate(operators)
        if op["op_name"] != DELEGATE
        for tensor in op["outputs"]
    }
    delegated = [op for op in operators if op["op_name"] == DELEGATE]
    return [sorted(_between(operators, makers, op)) for op in delegated]


def _between(
    operators: Sequence[Mapping[str, Any]], makers: Mapping[int, int], piece: Mapping[str, Any]
) -> set[int]:
    entering = {int(tensor) for tensor in piece["inputs"]}
    wanted = [int(tensor) for tensor in piece["outputs"]]
    found: set[int] = set()
    while wanted:
        number = makers.get(wanted.pop())
        if number is None or number in found:
            continue
        found.add(number)
        inputs = (int(tensor) for tensor in operators[number]["inputs"])
        wanted += [tensor for tensor in inputs if tensor not in entering]
    return found
