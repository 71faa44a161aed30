"""
Where LiteRT puts the tensors of models.

    python litert_arenas.py KERNELS MODEL...

prints a line of JSON for each model: by subgraph, the address and the bytes of
each tensor, temporaries behind those of the file. A process of its own: a wrong
question to the interpreter would end the caller.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESOLVERS = {"reference": "BUILTIN_REF", "builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES"}

NUMBERS = ("float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool", "bool_")

GAP = 64
"""Tensors of one arena lie closer together than this: each begins at a multiple of it."""


@dataclass(frozen=True)
class Arenas:
    """By subgraph: (address, bytes) of each tensor; *refused*: why the model does not run."""

    tensors: tuple[dict[int, tuple[int, int]], ...] = ()
    refused: str = ""


def arenas(paths: Sequence[Path], kernels: str, *, run: bool = False) -> list[Arenas]:
    """What the runtime did with each model when it was loaded, or has *run* once."""
    when = "run" if run else "load"
    command = [sys.executable, __file__, RESOLVERS[kernels], when, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return [_arenas(json.loads(line)) for line in done.stdout.splitlines()]


def _arenas(answer: Any) -> Arenas:
    if isinstance(answer, str):
        return Arenas(refused=answer)
    return Arenas(tuple({int(i): (at, size) for i, (at, size) in rows.items()} for rows in answer))


def extent(rows: dict[int, tuple[int, int]], start: int, gap: int = GAP) -> int:
    """The end of the memory in one piece that begins at *start*."""
    end = start
    for low, size in sorted(rows.values()):
        if start <= low < end + gap:
            end = max(end, low + size)
    return end


def main() -> None:
    resolver, when, *paths = sys.argv[1:]
    for path in paths:
        try:
            answer: Any = _addresses(path, resolver, when == "run")
        except (ValueError, RuntimeError) as error:
            answer = str(error)
        sys.stdout.write(json.dumps(answer) + "\n")


def _addresses(path: str, resolver: str, run: bool) -> list[dict[int, tuple[int, int]]]:
    from ai_edge_litert import interpreter as litert

    kernels = getattr(litert.OpResolverType, resolver)
    model = litert.Interpreter(path, experimental_op_resolver_type=kernels)
    model.allocate_tensors()
    if run:
        model.invoke()
    inner = model._interpreter
    return [_of_subgraph(model, inner, number) for number in range(inner.NumSubgraphs())]


def _of_subgraph(model: Any, inner: Any, number: int) -> dict[int, tuple[int, int]]:
    found = {}
    for index in range(inner.NumTensors(number)):
        try:
            # Both raise where the question below would end it all.
            inner.TensorSize(index, number)
            if inner.TensorType(index, number).__name__ not in NUMBERS:
                continue
            view = inner.tensor(model, index, number)
        except (ValueError, RuntimeError):
            continue
        if view.ndim and view.nbytes:  # a scalar comes as a copy
            found[index] = view.__array_interface__["data"][0], view.nbytes
        del view
    return found


if __name__ == "__main__":
    main()
