"""`download_size`: bytes over the air."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from pytest_edgebudget.errors import ModelError
from pytest_edgebudget.facts import FileFacts
from pytest_edgebudget.metrics.base import STATIC, Metric, Options, Value
from pytest_edgebudget.types import Better, Unit

_CHUNK = 1 << 20


def read_download_size(facts: FileFacts, options: Options) -> Value:
    """
    Bytes of the model file after zlib compression at level 9.

    Unit: bytes. Lower is better. Exact: the length of one zlib stream (RFC 1950)
    of the file and, behind it, the external data files that it names. gzip and
    a zip archive use the same compression, and add 12 and about 100 bytes.

    Pruned and clustered weights take as many bytes in the file as before: this
    is where they show. Layers have no share of their own: what one costs
    depends on the others.
    """
    compressor = zlib.compressobj(9)
    length = sum(len(compressor.compress(chunk)) for chunk in _chunks(facts))
    return Value(length + len(compressor.flush()))


def _chunks(facts: FileFacts) -> Iterator[bytes]:
    for path in (facts.path, *facts.external):
        yield from _chunks_of(path)


def _chunks_of(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})", "check the path") from error


METRIC = Metric(
    name="download_size",
    unit=Unit.BYTES,
    better=Better.LOWER,
    needs=FileFacts,
    read=read_download_size,
    accepts=STATIC,
    additive=True,
    exact=True,
)
