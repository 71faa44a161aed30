"""Values of an ONNX graph by name, and those of the graphs around it."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_edgebudget.graph.damage import DamageError, short
from pytest_edgebudget.graph.ir import Tensor


class UnmadeError(DamageError):
    """*name* is used, and nothing before made it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"value {short(name)} is used, and nothing before made it")
        self.name = name


class Scope:
    """The tensors of one graph by name; names of the graphs around it are copied in."""

    def __init__(self, known: Mapping[str, Tensor], outer: Scope | None) -> None:
        self._known = known  # what the graph says of its intermediate values
        self._outer = outer
        self._index: dict[str, int] = {}
        self.tensors: list[Tensor] = []

    def define(self, name: str, tensor: Tensor | None = None) -> int:
        """Make (or replace) *name*; -1 for an output that is left out."""
        if not name:
            return -1
        tensor = tensor or self._known.get(name) or Tensor(name, "", None)
        if name in self._index:
            self.tensors[self._index[name]] = tensor
        else:
            self._index[name] = len(self.tensors)
            self.tensors.append(tensor)
        return self._index[name]

    def use(self, name: str) -> int:
        """The index of *name*; -1 for an input that is left out."""
        index = self._index.get(name)
        if index is not None:
            return index
        if not name:
            return -1
        tensor = self._outer.find(name) if self._outer else None
        if tensor is None:
            raise UnmadeError(name)
        return self.define(name, tensor)

    def find(self, name: str) -> Tensor | None:
        """The tensor of *name*, here or around; None when there is none."""
        if name in self._index:
            return self.tensors[self._index[name]]
        return self._outer.find(name) if self._outer else None
