"""
Writes the seeds of the fuzzer: small models that use what the formats have.

    python tests/fuzz/make_corpus.py [FOLDER]

FOLDER is tests/fuzz/corpus by default. A test compares what is committed with
what this script writes. Needs ai-edge-litert, flatbuffers and onnx.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "graph"))

import corpus_onnx as onnx  # noqa: E402
import corpus_tflite as tflite  # noqa: E402

MODELS: dict[str, Callable[[], Any]] = {
    "batch.tflite": tflite.batch,
    "behind.tflite": tflite.behind,
    "branches.tflite": tflite.branches,
    "cnn.tflite": tflite.cnn,
    "composite.tflite": tflite.composite,
    "loop.tflite": tflite.loop,
    "lstm.tflite": tflite.lstm,
    "sparse.tflite": tflite.sparse,
    "branches.onnx": onnx.branches,
    "cnn.onnx": onnx.om.small_cnn,
    "external.onnx": onnx.external,
    "lstm.onnx": onnx.lstm,
    "moves.onnx": onnx.moves,
    "quantized.onnx": onnx.quantized,
    "shapes.onnx": onnx.shapes,
}


def main() -> None:
    """Write all models, by format, and the data of those that have some beside them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus"
    for name, make in MODELS.items():
        place = folder / Path(name).suffix[1:]
        place.mkdir(parents=True, exist_ok=True)
        value = make()
        if not isinstance(value, bytes):
            if place.name == "onnx":
                value = value.SerializeToString(deterministic=True)
            else:
                value = tflite.tfl.pack(value)
        (place / Path(name).stem).with_suffix(f".{place.name}").write_bytes(value)
    for place in ("tflite", "onnx"):
        (folder / place / tflite.WEIGHTS).write_bytes(bytes(12))


if __name__ == "__main__":
    main()
