"""Samples whose answer changed, as small pictures: only where the user asked for them."""

from __future__ import annotations

import base64
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_edgebudget.html import marks
from pytest_edgebudget.report.base import LimitRow, ModelRow

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

SHOWN = 24
"""Pictures a direction."""
SPLIT = "test"
"""What limits are judged on."""
_LARGEST = 512
"""Pixels of a side; of larger pictures every second, third ... is shown."""


def flipped(rows: Sequence[LimitRow], model: ModelRow) -> Iterator[str]:
    """The samples that each limit's drop is made of, as parts that open."""
    for row in rows:
        drop = row.drop
        if drop is None or not (drop.worse_at or drop.better_at) or not model.data:
            continue
        title = f"{row.metric}: samples whose answer changed"
        yield marks.details(marks.text(title), _pictures(Path(model.data), row))


def _pictures(data: Path, row: LimitRow) -> str:
    assert row.drop is not None
    ways = (("right -> wrong", row.drop.worse_at), ("wrong -> right", row.drop.better_at))
    try:
        images, labels = _read(data)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        return f'<p class="soft">{marks.text(f"the samples cannot be read: {error}")}</p>'
    if images is None:
        return '<p class="soft">no input has samples that are pictures</p>'
    parts = []
    for way, places in ways:
        figures = "".join(_figure(images, labels, place, way) for place in places[:SHOWN])
        if figures:
            more = f", the first {SHOWN} of {len(places)}" if len(places) > SHOWN else ""
            parts.append(f"<h3>{marks.text(way + more)}</h3>")
            parts.append(f'<div class="samples">{figures}</div>')
    return "".join(parts)


def _read(data: Path) -> tuple[Array | None, Array | None]:
    """The first input whose samples are pictures, and the labels where each is one number."""
    import numpy as np

    with np.load(data, allow_pickle=False) as arrays:
        names = [n for n in arrays.files if n == f"x_{SPLIT}" or n.startswith(f"x_{SPLIT}/")]
        images = next((found for n in names if (found := _as_images(arrays[n])) is not None), None)
        labels = arrays[f"y_{SPLIT}"] if f"y_{SPLIT}" in arrays.files else None
    return images, labels if labels is not None and labels.size == len(labels) else None


def _as_images(samples: Array) -> Array | None:
    """(samples, height, width, 1 or 3) of bytes; None where they are no pictures."""
    if samples.ndim == 3:
        samples = samples[..., None]
    if samples.ndim != 4 or samples.dtype.kind not in "fiub":
        return None
    if samples.shape[-1] not in (1, 3) and samples.shape[1] in (1, 3):
        samples = samples.transpose(0, 2, 3, 1)  # as .onnx models read them
    if samples.shape[-1] not in (1, 3) or min(samples.shape[1:3]) < 4:
        return None
    return samples


def _figure(images: Array, labels: Array | None, place: int, way: str) -> str:
    if not 0 <= place < len(images):
        return ""
    label = f", label {labels.reshape(-1)[place]}" if labels is not None else ""
    code = base64.b64encode(png(_bytes(images[place]))).decode()
    words = marks.text(f"sample {place}{label}")
    return (
        f'<figure><img src="data:image/png;base64,{code}" alt="{words}, {marks.text(way)}">'
        f"<figcaption>{words}</figcaption></figure>"
    )


def _bytes(image: Array) -> Array:
    """From black to white between the least and the largest value of the sample."""
    import numpy as np

    step = -(-max(image.shape[:2]) // _LARGEST)
    image = np.nan_to_num(image[::step, ::step].astype(np.float64))
    low, high = float(image.min()), float(image.max())
    found: Array = ((image - low) * (255.0 / (high - low or 1.0))).round().astype(np.uint8)
    return found


def png(image: Array) -> bytes:
    """Bytes of (height, width, 1 or 3) as a PNG file (RFC 2083): grey or RGB, not filtered."""
    height, width, channels = image.shape
    lines = b"".join(b"\0" + image[y].tobytes() for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
