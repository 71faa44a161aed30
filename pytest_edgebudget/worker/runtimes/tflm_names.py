"""What a `.tflite` file calls its inputs and outputs: TensorFlow Lite Micro does not tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Names:
    """Names of the inputs and outputs, which the runtime itself does not tell."""

    def __init__(self, file: Any) -> None:
        self._graph = file.Subgraphs(0)
        self._signature = _signature(file)
        self.inputs: int = self._graph.InputsLength()
        self.outputs: int = self._graph.OutputsLength()

    def input(self, index: int) -> tuple[str, str]:
        """Name in the signature, or else the tensor's; the tensor's."""
        return self._names(self._graph.Inputs(index))

    def output(self, index: int) -> tuple[str, str]:
        """Likewise."""
        return self._names(self._graph.Outputs(index))

    def _names(self, tensor: int) -> tuple[str, str]:
        own = _text(self._graph.Tensors(tensor).Name())
        return self._signature.get(tensor, own), own


def _signature(file: Any) -> Mapping[int, str]:
    """Tensors of the first subgraph and their names in its signature; empty without one."""
    found = [file.SignatureDefs(index) for index in range(file.SignatureDefsLength())]
    mine = {_text(each.SignatureKey()): each for each in found if each.SubgraphIndex() == 0}
    chosen = mine.get("serving_default", next(iter(mine.values()), None))
    if chosen is None:
        return {}
    maps = [chosen.Inputs(index) for index in range(chosen.InputsLength())]
    maps += [chosen.Outputs(index) for index in range(chosen.OutputsLength())]
    return {each.TensorIndex(): _text(each.Name()) for each in maps}


def _text(name: Any) -> str:
    return bytes(name or b"").decode("utf-8", errors="replace")
