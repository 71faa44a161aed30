"""
Temporaries of LiteRT's recurrent kernels, float, hybrid and integer.

Source: `Prepare` in unidirectional_sequence_lstm.cc and svdf.cc of LiteRT's
tflite/kernels.
"""

from __future__ import annotations

from math import ceil

from pytest_edgebudget.graph.memory_litert_homes import Home
from pytest_edgebudget.graph.memory_litert_hybrid import is_hybrid
from pytest_edgebudget.graph.memory_litert_temporary import Temporary, UnknownScratch, Use
from pytest_edgebudget.graph.memory_sizes import elements

_BYTE, _HALF, _WORD = 1, 2, 4
LSTM_SLOTS, SVDF_SLOTS = 12, 6
_INTEGERS = ("int8", "uint8")
# Inputs of UNIDIRECTIONAL_SEQUENCE_LSTM (lstm_shared.h)
_TO_INPUT, _TO_OUTPUT, _RECURRENT, _PROJECTION, _OUTPUT_STATE, _CELL_STATE = 1, 4, 8, 16, 18, 19
_GATES_AND_ROOM = 16  # "an extra 16 bytes to avoid internal ruy copies", counted in elements


def lstm(use: Use) -> list[Temporary]:
    """UNIDIRECTIONAL_SEQUENCE_LSTM: its gates, and what hybrid weights need."""
    source, weights = use.input(0), use.input(_TO_OUTPUT)
    state, cell = use.input(_OUTPUT_STATE), use.input(_CELL_STATE)
    if source is None or weights is None or state is None or cell is None:
        raise UnknownScratch(f"{use.op.kind}: an input is missing")
    batch = (use.shape(0)[1:] if use.op.attributes.get("time_major") else use.shape(0))[0]
    cells = use.shape(_TO_OUTPUT)[0]
    if source.dtype == "int8":
        sizes = [_HALF] * 4 + [_BYTE, _WORD]
        return [Temporary("gate", batch * cells * size) for size in sizes]
    gates = 4 if use.input(_TO_INPUT) is None else 5
    scratch = Temporary("gates", batch * (cells * gates + _GATES_AND_ROOM) * _WORD)
    if not is_hybrid(use, 0, _TO_OUTPUT, _INTEGERS):
        return [scratch]
    return [
        scratch,
        Temporary("quantized input", elements(source)),
        Temporary("quantized output state", elements(state)),
        Temporary("quantized cell state", elements(cell)),
        *(Temporary("scales", batch * _WORD) for _ in range(3)),
        Temporary("recovered weights", cells * _WORD),
        Temporary("accumulators", cells * batch * _WORD),
        *(Temporary("offsets", batch * _WORD) for _ in range(2)),
        Temporary("row sums", _row_sums(use, cells) * cells * _WORD, Home.PERSISTENT),
    ]


def _row_sums(use: Use, cells: int) -> int:
    rows = 6 if use.input(_TO_INPUT) is None else 8
    if use.input(_PROJECTION) is None or not cells:
        return rows
    recurrent = use.shape(_RECURRENT)
    return rows + ceil(recurrent[-1] / cells)


def svdf(use: Use) -> list[Temporary]:
    """SVDF: filters, and what hybrid weights need."""
    source, time = use.input(0), use.input(2)
    if source is None or time is None:
        raise UnknownScratch(f"{use.op.kind}: an input is missing")
    batch, filters = use.shape(0)[0], use.shape(1)[0]
    scratch = Temporary("filters", batch * filters * _WORD)
    if source.dtype == "int8":
        units = filters // max(use.number("rank"), 1)
        return [scratch, Temporary("output", units * batch * _WORD)]
    if not is_hybrid(use, 0, 1, _INTEGERS):
        return [scratch]
    return [
        scratch,
        Temporary("quantized input", elements(source)),
        Temporary("scales", batch * _WORD),
        Temporary("float weights", elements(time) * _WORD, Home.PERSISTENT),
        Temporary("offsets", batch * _WORD),
        Temporary("row sums", filters * _WORD, Home.PERSISTENT),
    ]
