"""`size`: bytes on disk."""

from __future__ import annotations

from pathlib import Path

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import FileFacts
from pytest_edgebudget.metrics.base import STATIC, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit


def read_size(facts: FileFacts, options: Options) -> Value:
    """
    Bytes of the model file and of the external data files that it names.

    Unit: bytes. Lower is better. Exact: the length of the files, as they are
    copied to the device, without the file system's rounding to blocks.

    Layers: bytes of each layer's constants; what belongs to no layer (names,
    quantization parameters, options, metadata) is ``(structure)``.
    """
    return Value(sum(_length(path) for path in (facts.path, *facts.external)))


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})", "check the path") from error


METRIC = Metric(
    name="size",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=FileFacts,
    read=read_size,
    accepts=STATIC,
    additive=True,
    exact=True,
)
